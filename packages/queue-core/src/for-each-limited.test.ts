import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { forEachLimited } from './for-each-limited.ts';

test('the work runs once for each item, and for no more than the limit at once', async () => {
  const done: number[] = [];
  let atOnce = 0;
  let most = 0;
  await forEachLimited(
    Array.from({ length: 100 }, (_, index) => index),
    7,
    async (item) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      for (let turns = item % 3; turns > 0; turns--) {
        await turn();
      }
      atOnce -= 1;
      done.push(item);
    },
  );
  expect(most).toBe(7);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test('no work begins after the first error', async () => {
  const begun: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    await turn();
    if (item === 1) {
      throw new Error('no');
    }
  };
  await expect(forEachLimited([0, 1, 2, 3, 4, 5], 2, work)).rejects.toThrow('no');
  await turn();
  expect(begun).not.toContain(5);
});

test('a list without items ends at once', async () => {
  await forEachLimited([], 3, () => Promise.reject(new Error('not called')));
});
