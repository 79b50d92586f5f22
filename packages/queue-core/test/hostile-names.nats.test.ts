import type { NatsServer } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identityOf } from '../src/index.ts';
import { OverdueSchedules, QueueInspector } from '../src/jetstream/index.ts';
import { openFinder } from './call-fixture.ts';
import { startServer } from './connected.ts';
import { outcomeOf } from './dead-letter-fixture.ts';

let server: NatsServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

const hourMs = 3_600_000;

/** Names that are also tokens of subjects, and others that code could trip over. */
const names: [queue: string, name: string][] = [
  ['ready', 'later'],
  ['later', 'ready'],
  ['ready-1', 'ready.ready'],
  ['key', 'key.later'],
  ['calls', '0'],
  ['0', 'constructor'],
  ['-', '__proto__'],
  ['q'.repeat(63), `${'f'.repeat(63)}.${'n'.repeat(63)}`],
];

describe.each(names)('in a queue named %s, a function named %s', (queue, name) => {
  const open = () => openFinder({ natsUrl: server.url, queue, name });

  test('has its calls found in each phase, its retries checked, and is counted', async () => {
    const { finder, put, take, store, settle, gateway } = await open();
    const { topology } = gateway;
    const inspector = new QueueInspector(topology);
    const call = await put();
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'queued', call: { queue, function: name } });
    expect(await inspector.countCalls(name)).toBe(1);
    const first = await take();
    expect(await store.isThere(first)).toBe(true);

    const next = { ...call, retry: 1, startedAt: Date.now() };
    expect(await store.scheduleRetry(first, next, Date.now() + hourMs)).toMatchObject({ kind: 'stored' });
    expect(await store.isThere(first)).toBe(false);
    // Another worker that holds the same attempt.
    expect(await store.scheduleRetry(first, { ...next, retry: 2 }, Date.now() + hourMs)).toMatchObject({
      reason: 'conflict',
    });
    await settle(first);
    await eventually(async () => (await inspector.countCalls(name)) === 1);
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'retrying', call: { retry: 1 } });
    expect(await topology.hasCalls(queue, name)).toBe(true);
    expect(await topology.hasScheduled(queue, name)).toBe(true);
    expect(await inspector.find(queue)).toMatchObject({ depth: 0, scheduled: 1, inFlight: 0 });

    await store.removeQueued({ queue, function: name, ...identityOf(call) });
    expect(await topology.hasCalls(queue, name)).toBe(false);
    expect(await inspector.countCalls(name)).toBe(0);
    expect(await store.recordOutcome(outcomeOf(next), new Uint8Array())).toMatchObject({ kind: 'stored' });
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'ended' });
  });

  test('has its calls cancelled, the one that waits for its time and the one that is ready', async () => {
    const { finder, canceller, put, stored, gateway } = await open();
    const ready = await put();
    const scheduled = await put({ notBefore: Date.now() + hourMs });
    expect(await finder.find({ callId: scheduled.id })).toMatchObject({ phase: 'scheduled' });
    for (const { id } of [ready, scheduled]) {
      expect(await canceller.cancel({ callId: id })).toMatchObject({ kind: 'cancelled' });
    }
    expect(await stored()).toBe(0);
    expect(await gateway.topology.hasCalls(queue, name)).toBe(false);
  });

  test('has a schedule that is overdue stored again, unless the call has moved on', async () => {
    const { put, stored, gateway, canceller } = await open();
    const { publisher, topology } = gateway;
    const overdue = new OverdueSchedules(publisher, {
      manager: topology.manager,
      listQueues: () => Promise.resolve([queue]),
    });
    const waits = await put({ notBefore: Date.now() + hourMs });
    const moved = await put({ notBefore: Date.now() + hourMs });
    // The same call is ready by now, as if its schedule had fired at this moment.
    await put({ id: moved.id, startTime: moved.startTime });
    expect(await overdue.restore(Date.now() + 2 * hourMs)).toBe(1);
    expect(await stored()).toBe(3);
    await canceller.cancel({ callId: waits.id });
    await canceller.cancel({ callId: moved.id });
    expect(await stored()).toBe(0);
  });
});
