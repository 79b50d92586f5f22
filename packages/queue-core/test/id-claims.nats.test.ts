import { eventually } from '@asyncfn/testkit';
import { headers } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import { queueStream } from '../src/call/index.ts';
import { CancelIntents, toCancelled } from '../src/jetstream/store/cancel-intents.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, type GatewaySide, openManager, startGatewaySide } from './harness.ts';
import { storedIn } from './stored-calls.ts';

let starts = 1_700_000_000_000_000_000n;

/** No two calls are accepted in the same nanosecond. */
function nextStart(): string {
  starts += 1n;
  return String(starts);
}

async function kinds(results: readonly ReturnType<GatewaySide['queue']['accept']>[]): Promise<string[]> {
  const settled = await Promise.all(results);
  return settled.map((result) => (result.kind === 'refused' ? result.reason : result.kind)).toSorted();
}

/** Rivals wait more than they work: ten pairs of them at once take hardly longer than one. */
async function inTens(count: number, race: (number: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, n) => race(first + n)));
  }
}

describe('at two gateways at the same moment, for functions of two queues', () => {
  test('an id that the client chose is accepted once', async () => {
    const [left, right] = [uniqueQueue(), uniqueQueue()];
    await using one = await startGatewaySide(inject('natsUrl'));
    await using other = await startGatewaySide(inject('natsUrl'));
    await Promise.all([left, right].map((queue) => one.queue.accept(buildCall(queue), { unique: false })));
    await inTens(40, async (number) => {
      const id = `both-${left}-${number}`;
      const send = (side: GatewaySide, queue: string) =>
        side.queue.accept(buildCall(queue, { id, startTime: nextStart() }), { unique: true });
      expect(await kinds([send(one, left), send(other, right)])).toEqual(['conflict', 'stored']);
    });
  });

  test('a key of one function that is moving makes one call', async () => {
    const [before, since] = [uniqueQueue(), uniqueQueue()];
    await using one = await startGatewaySide(inject('natsUrl'));
    await using other = await startGatewaySide(inject('natsUrl'));
    await Promise.all([before, since].map((queue) => one.queue.accept(buildCall(queue), { unique: false })));
    const body = new Uint8Array([1]);
    await inTens(40, async (number) => {
      const send = (side: GatewaySide, queue: string) =>
        side.queue.accept(buildCall(queue, { body, startTime: nextStart() }), {
          unique: false,
          key: `key-${before}-${number}`,
        });
      expect(await kinds([send(one, before), send(other, since)])).toEqual(['replayed', 'stored']);
    });
  });

  test('an id that is derived makes one call', async () => {
    const [before, since] = [uniqueQueue(), uniqueQueue()];
    await using one = await startGatewaySide(inject('natsUrl'));
    await using other = await startGatewaySide(inject('natsUrl'));
    await Promise.all([before, since].map((queue) => one.queue.accept(buildCall(queue), { unique: false })));
    await inTens(20, async (number) => {
      const send = (side: GatewaySide, queue: string) =>
        side.queue.accept(buildCall(queue, { id: `derived-${before}-${number}`, startTime: nextStart() }), {
          unique: false,
          derived: true,
        });
      expect(await kinds([send(one, before), send(other, since)])).toEqual(['replayed', 'stored']);
    });
  });

  test('an id is accepted although a queue that existed a moment ago has been removed', async () => {
    const [left, right] = [uniqueQueue(), uniqueQueue()];
    await using one = await startGatewaySide(inject('natsUrl'));
    const send = (queue: string, id: string) =>
      one.queue.accept(buildCall(queue, { id, startTime: nextStart() }), { unique: true });
    await Promise.all([left, right].map((queue) => one.queue.accept(buildCall(queue), { unique: false })));
    expect(await kinds([send(left, `before-${left}`)])).toEqual(['stored']);
    await one.topology.manager.streams.delete(queueStream(right));
    expect(await kinds([send(left, `after-${left}`)])).toEqual(['stored']);
  });

  test('two submitters have one call each of the same id', async () => {
    const [left, right] = [uniqueQueue(), uniqueQueue()];
    await using one = await startGatewaySide(inject('natsUrl'));
    const send = (queue: string, submitter: string) =>
      one.queue.accept(buildCall(queue, { id: `theirs-${left}`, submitter, startTime: nextStart() }), { unique: true });
    expect(await kinds([send(left, 'a'), send(right, 'b'), send(left, 'c')])).toEqual(['stored', 'stored', 'stored']);
  });
});

test('an id is known while its call is out of its queue and has no end yet, because it is being cancelled', async () => {
  const queue = uniqueQueue();
  await using gateway = await startGatewaySide(inject('natsUrl'));
  await using look = await openManager(inject('natsUrl'));
  const call = buildCall(queue, { id: `cancelled-${queue}`, startTime: nextStart() });
  const intents = new CancelIntents(gateway.publisher, gateway.topology);
  await gateway.queue.accept(buildCall(queue), { unique: false });
  await intents.store(toCancelled(call, { now: Date.now(), held: undefined, maxRetries: 0 }), 1);
  const again = { ...call, startTime: nextStart() };
  expect(await gateway.queue.accept(again, { unique: true })).toMatchObject({ reason: 'conflict' });
  expect((await storedIn(look.manager, queue)).calls).not.toContain(call.id);
});

describe('a claim', () => {
  /** The claim of a gateway that died before it stored its call. */
  async function leaveClaim(side: GatewaySide, queue: string, id: string): Promise<void> {
    const result = headers();
    const claim = { v: 1, callId: id, startTime: nextStart(), queue, nonce: 'of a gateway that is dead' };
    result.set('Asyncfn-Claim', JSON.stringify(claim));
    await side.topology.manager.jetstream().publish(`claims.id.${id}.~`, '', { headers: result });
  }

  test('of a gateway that died is taken over for the same queue once that gateway has had its time', async () => {
    const queue = uniqueQueue();
    const id = `orphan-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'), { publishTimeoutMs: 3_000 });
    await leaveClaim(gateway, queue, id);
    const send = () => gateway.queue.accept(buildCall(queue, { id, startTime: nextStart() }), { unique: true });
    expect(await send()).toMatchObject({ kind: 'refused', reason: 'overloaded' });
    await eventually(async () => (await send()).kind === 'stored');
  });

  test('of a gateway that died, for a call of another queue, is not taken over', async () => {
    const [queue, other] = [uniqueQueue(), uniqueQueue()];
    const id = `orphan-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'), { publishTimeoutMs: 100 });
    await leaveClaim(gateway, other, id);
    const started = performance.now();
    while (performance.now() - started < 2_500) {
      const call = buildCall(queue, { id, startTime: nextStart() });
      expect((await gateway.queue.accept(call, { unique: true })).kind).toBe('refused');
    }
  });

  test('is released by a gateway that knows that nothing was stored', async () => {
    await using server = await startServer();
    const [left, right] = ['left', 'right'];
    await using gateway = await startGatewaySide(server.url);
    const id = 'too-large-at-first';
    const { max_payload: limit = 0 } = gateway.broker.connection?.info ?? {};
    const tooLarge = buildCall(left, { id, startTime: nextStart(), body: new Uint8Array(limit) });
    expect(await gateway.queue.accept(tooLarge, { unique: true })).toMatchObject({ reason: 'too_large' });
    const next = buildCall(right, { id, startTime: nextStart() });
    expect(await gateway.queue.accept(next, { unique: true })).toMatchObject({ kind: 'stored' });
  });

  test('is no longer needed once its call is stored: its key may be used again when that is forgotten', async () => {
    await using server = await startServer();
    await using gateway = await startGatewaySide(server.url, { idempotencyWindowMs: 1_000 });
    const send = (queue: string) =>
      gateway.queue.accept(buildCall(queue, { startTime: nextStart() }), { unique: false, key: 'for a second' });
    expect(await send('left')).toMatchObject({ kind: 'stored' });
    expect(await send('right')).toEqual({ kind: 'key_reused' });
    await eventually(async () => (await send('right')).kind === 'stored');
  });
});
