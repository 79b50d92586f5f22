import { expect, test } from 'vitest';
import { RotatingMap } from './rotating-map.ts';

test('entries that were added and not deleted exist, in their order, however many come and go', () => {
  const map = new RotatingMap<number, string>();
  const plain = new Map<number, string>();
  for (let key = 0; key < 3_000; key++) {
    for (const each of [map, plain]) {
      each.set(key, `value ${key}`);
      if (key % 700 !== 0) {
        each.delete(key - 10);
      }
    }
  }
  expect(map.values()).toEqual([...plain.values()]);
  expect([map.get(2_999), map.get(2_000)]).toEqual(['value 2999', undefined]);
  map.clear();
  expect(map.values()).toEqual([]);
});
