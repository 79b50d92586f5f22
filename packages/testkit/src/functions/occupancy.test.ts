import { expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { gate, sleep } from './function-behaviours.ts';
import { jainIndex, Occupancy } from './occupancy.ts';
import { startTestFunction } from './test-function.ts';

test('a followed function answers 429 beyond its capacity', async () => {
  const occupancy = new Occupancy();
  const held = gate();
  await using fn = await startTestFunction({ handler: occupancy.follow(held.handler, () => 2) });
  const answers = Array.from({ length: 5 }, () => fetch(fn.url, { method: 'POST' }));
  await eventually(() => occupancy.refused === 3);
  expect([occupancy.count, occupancy.most]).toEqual([2, 2]);
  held.open();
  const statuses = await Promise.all(answers.map(async (answer) => (await answer).status));
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429, 429]);
  expect(occupancy.count).toBe(0);
});

test('the mean is over time', async () => {
  const occupancy = new Occupancy();
  await using fn = await startTestFunction({ handler: occupancy.follow(sleep(100)) });
  await Promise.all([1, 2, 3].map(() => fetch(fn.url, { method: 'POST' })));
  const { from, to } = occupancy.span;
  const mean = occupancy.mean(from, to);
  expect(mean).toBeGreaterThan(1);
  expect(mean).toBeLessThanOrEqual(3);
  expect(occupancy.mean(from - (to - from), to)).toBeCloseTo(mean / 2);
  expect(occupancy.mean(to, to + 1_000)).toBe(0);
  expect(occupancy.means(from, to, (to - from) / 4)).toHaveLength(4);
});

test('the index tells equal shares from others', () => {
  expect(jainIndex([5, 5, 5])).toBeCloseTo(1);
  expect(jainIndex([9, 0, 0])).toBeCloseTo(1 / 3);
});
