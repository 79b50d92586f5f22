import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LevelQueue } from './level-queue.ts';

function drained(queue: LevelQueue<string>): string[] {
  const items: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    items.push(`${next.item}${next.level}`);
  }
  return items;
}

test('an item that is moved goes behind those of its new level, and one that stays keeps its place', () => {
  const queue = new LevelQueue<string>();
  queue.put('a', 2);
  queue.put('b', 1);
  queue.put('c', 1);
  queue.put('b', 1);
  queue.put('a', 1);
  queue.put('d', 0);
  queue.delete('d');
  expect(drained(queue)).toEqual(['b1', 'c1', 'a1']);
  queue.put('e', 0);
  expect(drained(queue)).toEqual(['e0']);
});

const step = fc.record({ item: fc.constantFrom('a', 'b', 'c', 'd', 'e'), level: fc.option(fc.nat(5)) });

test('the lowest comes first, and the first to come of one level, whatever was moved and removed before', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new LevelQueue<string>();
      let expected: { readonly item: string; readonly level: number }[] = [];
      for (const { item, level } of steps) {
        if (level === null) {
          queue.delete(item);
        } else {
          queue.put(item, level);
        }
        if (!expected.some((each) => each.item === item && each.level === level)) {
          expected = expected.filter((each) => each.item !== item);
          expected.push(...(level === null ? [] : [{ item, level }]));
        }
      }
      expected.sort((a, b) => a.level - b.level);
      expect(drained(queue)).toEqual(expected.map(({ item, level }) => `${item}${level}`));
    }),
  );
});
