import { expect, test } from 'vitest';
import { createRandom, integerBelow, pickFrom } from './random.ts';

test('the same seed gives the same numbers, another one others', () => {
  const numbers = (seed: number): number[] => Array.from({ length: 5 }, createRandom(seed));
  expect(numbers(7)).toEqual(numbers(7));
  expect(numbers(7)).not.toEqual(numbers(8));
  expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true);
});

test('every integer below a limit comes up, and none beyond it', () => {
  const random = createRandom(1);
  const seen = new Set(Array.from({ length: 200 }, () => integerBelow(random, 4)));
  expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

test('picking from an empty list throws', () => {
  expect(pickFrom(createRandom(1), ['only'])).toBe('only');
  expect(() => pickFrom(createRandom(1), [])).toThrow(RangeError);
});
