import { once } from 'node:events';
import { keyOf } from '@asyncfn/queue-core';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { startBench } from './settling-bench.ts';

/** So many turns may end without slots. */
const most = 256;

test('a slot is free before the turn of its call has ended, unless so many turns end at once that they pile up', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url });
  const slow = new AbortController();
  const { flows } = bench;
  const end = flows.ended.bind(flows);
  flows.ended = async (call) => {
    await (slow.signal.aborted ? undefined : once(slow.signal, 'abort'));
    return await end(call);
  };
  let free = 0;
  const run = async (n: number): Promise<void> => {
    await bench.put({ flow: { key: `order-${n}` } });
    await bench.runner.run(await bench.take(), bench.target, bench.gate);
    free += 1;
  };
  for (let n = 0; n < most; n++) {
    await run(n);
  }
  const call = await bench.put({ flow: { key: 'one-too-many' } });
  const running = bench.runner.run(await bench.take(), bench.target, bench.gate).then(() => {
    free += 1;
  });
  await eventually(async () => (await bench.store.findOutcome(keyOf(call))) !== undefined);
  expect(free).toBe(most);
  slow.abort();
  await running;
  await bench.runner.whenSettled();
  expect(await end(call)).toEqual({ kind: 'done' });
});
