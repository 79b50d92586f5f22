import { type Call, keyOf } from '@asyncfn/queue-core';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { occupy, startWalk, type Walk } from './walk-fixture.ts';

let walk: Walk;

beforeEach(async () => {
  walk = await startWalk({ hears: false });
});

afterEach(() => walk[Symbol.asyncDispose]());

async function expectUntouched(call: Call): Promise<void> {
  const { bench, fn } = walk;
  expect(fn.invocations).toHaveLength(0);
  expect((await bench.store.findOutcome(keyOf(call)))?.outcome.status).toBe('cancelled');
  await eventually(async () => (await bench.queued()) === 0);
  expect(bench.gate.occupied).toBe(0);
}

describe('a call is not run if its worker may have missed the cancel', () => {
  test('because an outage is just over', async () => {
    const { bench, canceller } = walk;
    const call = await bench.put();
    const delivery = await bench.take();
    expect(await canceller.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    bench.held.noteOutage();
    await bench.run(delivery);
    await expectUntouched(call);
  });

  test('because there was an outage while it waited at the gate of its function', async () => {
    const { bench, canceller } = walk;
    // As many as the limiter of the gate allows at first.
    const others = await occupy(walk, 10);
    const call = await bench.put();
    const run = bench.run(await bench.take());
    await eventually(() => bench.gate.occupied === 11);
    expect(await canceller.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    bench.held.noteOutage();
    for (const other of others) {
      other.leave('taken');
    }
    await run;
    await expectUntouched(call);
  });
});
