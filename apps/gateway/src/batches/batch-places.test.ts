import { expect, test } from 'vitest';
import { BatchPlaces } from './batch-places.ts';

test('a caller has a limited number of places at once, and each caller its own', () => {
  const places = new BatchPlaces(2);
  const [first, second] = [places.take('a'), places.take('a')];
  expect([first, second]).not.toContain(undefined);
  expect(places.take('a')).toBeUndefined();
  expect(places.take('b')).toBeDefined();
  first?.[Symbol.dispose]();
  expect(places.take('a')).toBeDefined();
  expect(places.take('a')).toBeUndefined();
});

test('callers without a name are not limited', () => {
  const places = new BatchPlaces(1);
  expect([places.take(undefined), places.take(undefined)]).not.toContain(undefined);
});
