import { expect, test } from 'vitest';
import { StoringShare } from './storing-share.ts';

test('a caller has its share of the calls being stored, whatever the others use of theirs', () => {
  const share = new StoringShare(2);
  expect([share.begin('eve'), share.begin('eve'), share.begin('eve')]).toEqual([true, true, false]);
  expect(share.begin('bob')).toBe(true);
  share.end('eve');
  expect([share.begin('eve'), share.begin('eve')]).toEqual([true, false]);
});

test('without tokens there are no shares', () => {
  const share = new StoringShare(1);
  expect([share.begin(undefined), share.begin(undefined)]).toEqual([true, true]);
});
