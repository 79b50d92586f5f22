import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { occupy, startWalk, type Walk } from './walk-fixture.ts';

let walk: Walk;

beforeEach(async () => {
  walk = await startWalk({ hears: false });
});

afterEach(() => walk[Symbol.asyncDispose]());

async function expectUntouched(callId: string): Promise<void> {
  const { bench, fn } = walk;
  expect(fn.invocations).toHaveLength(0);
  expect((await bench.store.findOutcome(callId, 0))?.outcome.status).toBe('cancelled');
  await eventually(async () => (await bench.queued()) === 0);
  expect(bench.gate.occupied).toBe(0);
}

describe('a call is not run whose worker does not hear that it was cancelled', () => {
  test('because an outage is just over', async () => {
    const { bench, canceller } = walk;
    const { id } = await bench.put();
    const delivery = await bench.take();
    expect(await canceller.cancel(id)).toMatchObject({ kind: 'cancelled' });
    bench.held.noteOutage();
    await bench.run(delivery);
    await expectUntouched(id);
  });

  test('because there was an outage while it waited at the gate of its function', async () => {
    const { bench, canceller } = walk;
    // As many as the limiter of the gate allows at first.
    const others = await occupy(walk, 10);
    const { id } = await bench.put();
    const run = bench.run(await bench.take());
    await eventually(() => bench.gate.occupied === 11);
    expect(await canceller.cancel(id)).toMatchObject({ kind: 'cancelled' });
    bench.held.noteOutage();
    for (const other of others) {
      other.leave('taken');
    }
    await run;
    await expectUntouched(id);
  });
});
