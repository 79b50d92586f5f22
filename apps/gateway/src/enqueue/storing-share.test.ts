import { expect, test } from 'vitest';
import { StoringShare } from './storing-share.ts';

test('a caller has its share of what is being stored, whatever others have of theirs', () => {
  const share = new StoringShare(2);
  expect([share.begin('eve'), share.begin('eve'), share.begin('eve')]).toEqual([true, true, false]);
  expect(share.begin('bob')).toBe(true);
  share.end('eve');
  expect([share.begin('eve'), share.begin('eve')]).toEqual([true, false]);
});

test('where nobody has a token there are no shares', () => {
  const share = new StoringShare(1);
  expect([share.begin(undefined), share.begin(undefined)]).toEqual([true, true]);
});
