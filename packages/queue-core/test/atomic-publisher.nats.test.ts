import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, startTcpProxy } from '@asyncfn/testkit';
import type { MsgHdrs } from '@nats-io/transport-node';
import { headers } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import { toCallMessage, toKeyMessage } from '../src/jetstream/intake/call-message.ts';
import { toAtomicBatch } from '../src/jetstream/publish/atomic-batch.ts';
import { AtomicPublisher } from '../src/jetstream/publish/atomic-publisher.ts';
import type { Outgoing } from '../src/jetstream/publish/publisher.ts';
import type { PublishResult } from '../src/publish-result.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, openManager, startGatewaySide } from './harness.ts';
import { storedIn } from './stored-calls.ts';

function unique(queue: string, id: string): Outgoing {
  return toCallMessage(buildCall(queue, { id }), true);
}

describe('groups that come at once', () => {
  test('share batches, and are stored whole and in their order', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
    const sent: Outgoing[] = [];
    const counting = {
      publish: (message: Outgoing) => {
        sent.push(message);
        return gateway.publisher.publish(message);
      },
    };
    const atomic = new AtomicPublisher(counting);
    const results = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        atomic.publish(`CALLS_${queue}`, [unique(queue, `${n}-a`), unique(queue, `${n}-b`)]),
      ),
    );
    expect(results).toEqual(results.map((_, n) => ({ kind: 'stored', sequence: 2 * n + 2, duplicate: false })));
    expect(sent).toHaveLength(1);
    await using look = await openManager(inject('natsUrl'));
    const { state } = await look.manager.streams.info(`CALLS_${queue}`);
    expect([state.messages, state.last_seq]).toEqual([600, 600]);
    const third = await look.manager.streams.getMessage(`CALLS_${queue}`, { seq: 3 });
    expect(third?.subject).toMatch(`calls.${queue}.ready.~.echo.1-a.~.`);
  });

  test('go as single messages if they are few and have one each', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
    const sent: Outgoing[] = [];
    const atomic = new AtomicPublisher({
      publish: (message: Outgoing) => {
        sent.push(message);
        return gateway.publisher.publish(message);
      },
    });
    const publish = (ids: readonly string[]) =>
      Promise.all(ids.map((id) => atomic.publish(`CALLS_${queue}`, [unique(queue, id)])));
    const results = await publish(['a', 'b', 'a']);
    expect(results.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'refused']);
    expect(sent.map(({ preceding }) => preceding)).toEqual([undefined, undefined, undefined]);
    await publish(Array.from({ length: 150 }, (_, n) => `${n}`));
    const batches = sent.filter(({ preceding }) => preceding !== undefined);
    expect(batches.map(({ preceding }) => preceding?.length)).toEqual([21]);
    expect(sent).toHaveLength(3 + 128 + 1);
  });

  test('are refused one by one if one of their messages is', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
    const atomic = new AtomicPublisher(gateway.publisher);
    await atomic.publish(`CALLS_${queue}`, [unique(queue, 'taken')]);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        atomic.publish(`CALLS_${queue}`, [unique(queue, `${n}`), unique(queue, n === 13 ? 'taken' : `${n}-b`)]),
      ),
    );
    expect(results.map(({ kind }) => kind)).toEqual(results.map((_, n) => (n === 13 ? 'refused' : 'stored')));
    expect(results[13]).toMatchObject({ reason: 'conflict' });
    await using look = await openManager(inject('natsUrl'));
    expect((await storedIn(look.manager, queue)).calls).not.toContain('13');
  });

  test('are not sent once no caller waits for them', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
    const atomic = new AtomicPublisher(gateway.publisher);
    const [late, inTime] = await Promise.all([
      atomic.publish(`CALLS_${queue}`, [unique(queue, 'late')], () => true),
      atomic.publish(`CALLS_${queue}`, [unique(queue, 'in-time')]),
    ]);
    expect([late, inTime]).toMatchObject([{ reason: 'timeout' }, { kind: 'stored' }]);
    await using look = await openManager(inject('natsUrl'));
    expect((await storedIn(look.manager, queue)).calls).toEqual(['in-time']);
  });
});

describe('an incomplete batch', () => {
  test('leaves neither key nor call, and does not block others', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
    await using dying = await openManager(inject('natsUrl'));
    const call = buildCall(queue, { id: 'half' });
    const hash = 'a'.repeat(64);
    const { preceding = [] } = toAtomicBatch([toKeyMessage(call, hash, 60_000), toCallMessage(call, false)]);
    for (const { subject, headers, body } of preceding) {
      dying.connection.publish(subject, body, { headers: headers as MsgHdrs });
    }
    await dying.connection.flush();
    await dying.connection.close();
    await using look = await openManager(inject('natsUrl'));
    expect(await storedIn(look.manager, queue)).toEqual({ keys: [], calls: [] });
    const atomic = new AtomicPublisher(gateway.publisher);
    const whole = [toKeyMessage(call, hash, 60_000), toCallMessage(call, false)];
    expect(await atomic.publish(`CALLS_${queue}`, whole)).toMatchObject({ kind: 'stored' });
    expect(await storedIn(look.manager, queue)).toEqual({ keys: ['half'], calls: ['half'] });
  });

  test('because the connection broke is not confirmed, and no key exists without its call (P1)', async () => {
    await using server = await startServer();
    await using proxy = await startTcpProxy({ port: server.port });
    await using gateway = await startGatewaySide(`nats://127.0.0.1:${proxy.port}`, { publishTimeoutMs: 1_000 });
    await using look = await openManager(server.url);
    const body = new Uint8Array(40_000);
    const confirmed: string[] = [];
    for (let round = 0; round < 8; round++) {
      await eventually(() => gateway.queue.available);
      const sending = Array.from({ length: 40 }, async (_, n) => {
        const id = `${round}-${n}`;
        const { kind } = await gateway.queue.accept(buildCall('default', { id, body }), { unique: false, key: id });
        if (kind === 'stored') {
          confirmed.push(id);
        }
      });
      // At another point of the messages each time. A fast broker may have answered all by then.
      const cutting = sleep(round * 3).then(() => proxy.cut());
      await Promise.all([...sending, cutting]);
      proxy.heal();
    }
    await eventually(() => gateway.queue.available);
    const { keys, calls } = await storedIn(look.manager, 'default');
    expect(keys).toEqual(calls);
    expect(confirmed.filter((id) => !calls.includes(id))).toEqual([]);
    expect(calls.length).toBeLessThan(320);
  });
});

test('a batch has at least one message and no more than the server takes', () => {
  const message = { subject: 'a', headers: headers(), body: new Uint8Array() };
  expect(() => toAtomicBatch([])).toThrow(RangeError);
  expect(() => toAtomicBatch(Array.from({ length: 1_001 }, () => message))).toThrow(RangeError);
});

test('a stream is left to others between two batches, for as long as the first one took', async () => {
  const spans: { from: number; to: number }[] = [];
  const slow = {
    async publish(): Promise<PublishResult> {
      const from = performance.now();
      await sleep(10);
      spans.push({ from, to: performance.now() });
      return { kind: 'stored', sequence: 1, duplicate: false };
    },
  };
  const atomic = new AtomicPublisher(slow);
  const group = () => [unique('any', 'a'), unique('any', 'b')];
  const first = atomic.publish('CALLS_any', group());
  await eventually(() => spans.length === 1, { intervalMs: 1 });
  await Promise.all([first, atomic.publish('CALLS_any', group())]);
  const [before, after] = spans as [{ from: number; to: number }, { from: number; to: number }];
  // A timer may be a millisecond early, and a busy machine makes the first one take longer than the longest pause.
  const longestPauseMs = 20;
  expect(after.from - before.to).toBeGreaterThan(Math.min(before.to - before.from, longestPauseMs) - 2);
});
