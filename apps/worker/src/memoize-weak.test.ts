import { expect, test, vi } from 'vitest';
import { memoizeWeak } from './memoize-weak.ts';

test('the value for an object is made once, and another object gets a value of its own', () => {
  const make = vi.fn(({ name }: { name: string }) => `made of ${name}`);
  const of = memoizeWeak(make);
  const a = { name: 'a' };
  expect([of(a), of(a), of({ name: 'b' }), of({ name: 'a' })]).toEqual([
    'made of a',
    'made of a',
    'made of b',
    'made of a',
  ]);
  expect(make).toHaveBeenCalledTimes(3);
});
