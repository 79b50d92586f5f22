import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import { type Call, callbackFollowerId } from '../src/index.ts';
import type { AcceptResult } from '../src/jetstream/index.ts';
import { uniqueQueue } from './connected.ts';
import { buildCall, type GatewaySide, openManager, startGatewaySide, startWorkerSide } from './harness.ts';
import { storedIn } from './stored-calls.ts';

const startTime = '1700000000000000017';

/** The call that the callback of `parentId` makes in this queue. */
function follower(queue: string, parentId: string, changes: Partial<Call> = {}): Call {
  const parent = { callId: parentId, startTime, generation: 0 };
  const id = callbackFollowerId(parent, { function: 'echo', path: '', query: '', submitter: undefined });
  return buildCall(queue, { id, parentId, chainDepth: 1, ...changes });
}

function accept(side: GatewaySide, call: Call): Promise<AcceptResult> {
  return side.queue.accept(call, { unique: true, derived: true });
}

describe('a call whose id is derived', () => {
  test('is stored once, and answered as at first when it comes again, even with another body', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const call = follower(queue, `parent-${queue}`, { startTime });
    expect(await accept(gateway, call)).toMatchObject({ kind: 'stored' });
    // A body that was too large to be kept is missing the second time.
    for (const again of [call, { ...call, startTime: '1800000000000000000', body: new Uint8Array() }]) {
      expect(await accept(gateway, again)).toEqual({ kind: 'replayed', earlier: { callId: call.id, startTime } });
    }
    await using look = await openManager(inject('natsUrl'));
    expect(await storedIn(look.manager, queue)).toEqual({ keys: [call.id], calls: [call.id] });
  });

  test('is known after it has left its queue, in whatever queue its function is since', async () => {
    const [queue, since] = [uniqueQueue(), uniqueQueue()];
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    const call = follower(queue, `parent-${queue}`);
    await accept(gateway, call);
    worker.source.request({ queue, function: 'echo' }, 1, 60_000);
    await eventually(() => worker.deliveries.length === 1);
    worker.deliveries[0]?.ack();
    await using look = await openManager(inject('natsUrl'));
    await eventually(async () => (await storedIn(look.manager, queue)).calls.length === 0);
    expect(await accept(gateway, call)).toMatchObject({ kind: 'replayed' });
    expect(await accept(gateway, { ...call, queue: since })).toMatchObject({ kind: 'replayed' });
  });

  test('is remembered for a day at least: longer than callbacks are retried, whatever the window of keys', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { idempotencyWindowMs: 1_000 });
    await accept(gateway, follower(queue, `parent-${queue}`));
    await using look = await openManager(inject('natsUrl'));
    const last = { last_by_subj: `calls.${queue}.key.*` };
    const message = await look.manager.streams.getMessage(`CALLS_${queue}`, last);
    expect(message?.header.get('Nats-TTL')).toBe('86400s');
  });

  test('that comes 40 times at once through two gateways is stored once', async () => {
    const queue = uniqueQueue();
    await using one = await startGatewaySide(inject('natsUrl'));
    await using other = await startGatewaySide(inject('natsUrl'));
    const call = follower(queue, `parent-${queue}`);
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, n) => accept(n % 2 === 0 ? one : other, { ...call, body: new Uint8Array([n]) })),
    );
    expect(results.filter(({ kind }) => kind === 'refused')).toEqual([]);
    expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'replayed')).toHaveLength(39);
    await using look = await openManager(inject('natsUrl'));
    expect(await storedIn(look.manager, queue)).toEqual({ keys: [call.id], calls: [call.id] });
  });

  test('does not replace a call that got the same id from a client', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const call = follower(queue, `parent-${queue}`);
    await gateway.queue.accept(buildCall(queue, { id: call.id }), { unique: true });
    expect(await accept(gateway, call)).toMatchObject({ kind: 'refused', reason: 'conflict' });
    await using look = await openManager(inject('natsUrl'));
    expect(await storedIn(look.manager, queue)).toEqual({ keys: [], calls: [call.id] });
  });

  test('does not match a key that a client sends', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const call = follower(queue, `parent-${queue}`);
    await accept(gateway, call);
    const mine = buildCall(queue);
    expect(await gateway.queue.accept(mine, { unique: false, key: call.id })).toMatchObject({ kind: 'stored' });
  });
});
