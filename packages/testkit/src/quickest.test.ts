import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { quickest } from './quickest.ts';

test('the quickest round counts, and no other', async () => {
  const waits = [300, 300, 100, 300, 300];
  const took = await quickest(() => delay(waits.shift()));
  expect(waits).toEqual([]);
  expect(took).toBeGreaterThanOrEqual(98);
});
