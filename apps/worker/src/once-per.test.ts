import { expect, test, vi } from 'vitest';
import { oncePer } from './once-per.ts';

test('what is made for an object is made once, and for another one anew', () => {
  const make = vi.fn(({ name }: { name: string }) => `made of ${name}`);
  const of = oncePer(make);
  const a = { name: 'a' };
  expect([of(a), of(a), of({ name: 'b' }), of({ name: 'a' })]).toEqual([
    'made of a',
    'made of a',
    'made of b',
    'made of a',
  ]);
  expect(make).toHaveBeenCalledTimes(3);
});
