import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BucketQueue } from './bucket-queue.ts';

function drained(queue: BucketQueue<string>): string[] {
  const items: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    items.push(`${next.item}${next.bucket}`);
  }
  return items;
}

test('an item that is moved goes behind those of its new bucket, and one that stays keeps its place', () => {
  const queue = new BucketQueue<string>();
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

const step = fc.record({ item: fc.constantFrom('a', 'b', 'c', 'd', 'e'), bucket: fc.option(fc.nat(5)) });

test('the lowest comes first, and within a bucket the first to come, whatever was moved and removed before', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new BucketQueue<string>();
      let expected: { readonly item: string; readonly bucket: number }[] = [];
      for (const { item, bucket } of steps) {
        if (bucket === null) {
          queue.delete(item);
        } else {
          queue.put(item, bucket);
        }
        if (!expected.some((each) => each.item === item && each.bucket === bucket)) {
          expected = expected.filter((each) => each.item !== item);
          expected.push(...(bucket === null ? [] : [{ item, bucket }]));
        }
      }
      expected.sort((a, b) => a.bucket - b.bucket);
      expect(drained(queue)).toEqual(expected.map(({ item, bucket }) => `${item}${bucket}`));
    }),
  );
});
