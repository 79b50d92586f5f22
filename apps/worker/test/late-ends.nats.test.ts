import type {} from '@asyncfn/nats-server/vitest';
import { type Call, keyOf, type Outcome, refused } from '@asyncfn/queue-core';
import { eventually, gate, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startBench } from './settling-bench.ts';

const minuteMs = 60_000;

/** A call whose function has not answered yet when its worker loses the broker for six minutes. */
async function startLate() {
  const busy = gate();
  const fn = await startTestFunction({ handler: busy.handler });
  const inbox = await startCallbackReceiver();
  const bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url });
  onTestFinished(async () => {
    await bench[Symbol.asyncDispose]();
    await Promise.all([fn[Symbol.asyncDispose](), inbox[Symbol.asyncDispose]()]);
  });
  const call = await bench.put({ callbackUrl: inbox.url });
  const delivery = await bench.take();
  const run = bench.run(delivery);
  await fn.waitForInvocations(1);
  return { bench, inbox, call, delivery, answer: () => busy.open(), run };
}

function otherEnd(call: Call): Outcome {
  const { function: name, queue } = call;
  const counts = { attempts: 1, maxRetries: 10, endedAt: Date.now() };
  return { v: 1, ...keyOf(call), function: name, queue, status: 'succeeded', ...counts, headers: [] };
}

describe('a worker that is about to record an end checks again if its last check was long ago', () => {
  test('and records none for a call that has ended elsewhere, and whose end is forgotten', async () => {
    const { bench, inbox, call, delivery, answer, run } = await startLate();
    expect(await bench.store.recordOutcome(otherEnd(call), Buffer.from('of another worker'))).toMatchObject({
      kind: 'stored',
    });
    await bench.store.removeQueued(delivery);
    await bench.topology.manager.streams.purge('OUTCOMES', { filter: `outcomes.${call.id}.>` });
    bench.pass(6 * minuteMs);
    answer();
    await run;
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
    expect(inbox.callbacks).toEqual([]);
    expect(bench.logged).toContain('call has ended before, this attempt does not count');
  });

  test('and records the end of a call that still exists', async () => {
    const { bench, inbox, call, answer, run } = await startLate();
    bench.pass(6 * minuteMs);
    answer();
    await run;
    expect((await bench.store.findOutcome(keyOf(call)))?.outcome.status).toBe('succeeded');
    await inbox.waitForCallbacks(1);
    await eventually(async () => (await bench.queued()) === 0);
  });
});

test('a delivery that was sent before an outage is not run if its message is gone, although its end is forgotten', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url });
  await bench.put();
  const delivery = await bench.take();
  await bench.store.removeQueued(delivery);
  bench.held.noteOutage();
  await bench.run(delivery);
  expect(fn.invocations).toEqual([]);
});

test('a delivery whose message a server that is behind does not show comes again, and is not lost', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url });
  const call = await bench.put();
  bench.held.noteOutage();
  vi.spyOn(bench.topology.manager.streams, 'getMessage').mockResolvedValueOnce(null);
  await bench.run(await bench.take());
  expect(fn.invocations).toEqual([]);
  await bench.run(await bench.take());
  expect(fn.byCallId(call.id)).toHaveLength(1);
  expect((await bench.store.findOutcome(keyOf(call)))?.outcome.status).toBe('succeeded');
});

test('a worker that stops while the broker does not confirm an end tries once more to record it', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url });
  const call = await bench.put();
  vi.spyOn(bench.store, 'recordOutcome').mockImplementationOnce(async () => {
    bench.cutShort.abort();
    return refused('timeout', 'no answer');
  });
  await bench.run(await bench.take());
  expect((await bench.store.findOutcome(keyOf(call)))?.outcome.status).toBe('succeeded');
  await eventually(async () => (await bench.queued()) === 0);
});

test('an end that the broker does not take for a while is recorded once it does, however long that takes', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url, publishLimitMs: 100 });
  const call = await bench.put();
  const record = bench.store.recordOutcome.bind(bench.store);
  let tries = 0;
  vi.spyOn(bench.store, 'recordOutcome').mockImplementation((...outcome) => {
    tries += 1;
    return tries <= 10
      ? Promise.resolve(refused('unavailable', 'the queue topology is not in place yet'))
      : record(...outcome);
  });
  await bench.run(await bench.take());
  expect(fn.byCallId(call.id)).toHaveLength(1);
  expect((await bench.store.findOutcome(keyOf(call)))?.outcome.status).toBe('succeeded');
  expect(bench.logged).toContain('outcome cannot be recorded yet');
  await eventually(async () => (await bench.queued()) === 0);
});
