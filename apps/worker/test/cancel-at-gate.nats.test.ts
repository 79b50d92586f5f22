import { type Call, keyOf } from '@asyncfn/queue-core';
import { eventually, status } from '@asyncfn/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { occupy, startWalk, type Walk } from './walk-fixture.ts';

let walk: Walk;

beforeEach(async () => {
  walk = await startWalk();
});

afterEach(() => walk[Symbol.asyncDispose]());

async function expectCancelled(call: Call): Promise<void> {
  const ended = await walk.bench.store.findOutcome(keyOf(call));
  expect(ended?.outcome.status).toBe('cancelled');
  await eventually(async () => (await walk.bench.queued()) === 0);
  expect(await walk.bench.hasRetries()).toBe(false);
}

describe('a call that is cancelled while it waits at the gate of its function', () => {
  test('is never sent, and gives its slot back', async () => {
    const { bench, canceller, fn } = walk;
    const others = await occupy(walk, 10);
    const call = await bench.put();
    const run = bench.run(await bench.take());
    await eventually(() => bench.gate.occupied === 11);
    expect(await canceller.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    await run;
    for (const pass of others) {
      pass.leave('taken');
    }
    expect([fn.invocations.length, bench.gate.occupied]).toEqual([0, 0]);
    await expectCancelled(call);
  });

  test('is not sent again when the function rejected it before', async () => {
    const { bench, canceller, fn } = walk;
    fn.handler = status(429);
    const [other] = await occupy(walk, 1);
    const call = await bench.put();
    const run = bench.run(await bench.take());
    await fn.waitForInvocations(1);
    await eventually(() => bench.gate.atFunction === 1 && bench.gate.occupied === 2);
    expect(await canceller.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    await run;
    other?.leave('taken');
    expect([fn.invocations.length, bench.gate.occupied]).toEqual([1, 0]);
    await expectCancelled(call);
  });
});
