import { expect, test } from 'vitest';
import type { BatchState } from '../../batches/index.ts';
import { LostEnds, type LostEndsDependencies } from './lost-ends.ts';

const batch: BatchState = { v: 1, batchId: 'b1', startTime: '1700000000000000000', total: 0, parts: 0 } as BatchState;

/** A broker that takes so long to walk its subjects. */
function brokerThatTakes(ms: number) {
  let looks = 0;
  let now = 1_000;
  const info = async (): Promise<object> => {
    looks += 1;
    now += ms;
    return { state: {} };
  };
  const deps = {
    batches: { listEnds: () => Promise.resolve(new Set()), readItems: () => Promise.resolve([]) },
    calls: {},
    topology: { manager: { streams: { info } } },
    now: Date.now,
    monotonicNow: () => now,
  };
  const pass = (restMs: number): void => {
    now += restMs;
  };
  return { lost: new LostEnds(deps as unknown as LostEndsDependencies), looks: () => looks, pass };
}

test('however many batches are open, a broker that needs long for a look has rest before the next one', async () => {
  const slow = brokerThatTakes(100);
  expect(await Promise.all(Array.from({ length: 50 }, () => slow.lost.restore(batch)))).toEqual(Array(50).fill(0));
  expect(slow.looks()).toBe(1);
  slow.pass(2_000);
  await slow.lost.restore(batch);
  expect(slow.looks()).toBe(2);
  const fast = brokerThatTakes(0);
  for (let n = 0; n < 50; n++) {
    await fast.lost.restore(batch);
  }
  expect(fast.looks()).toBe(50);
});
