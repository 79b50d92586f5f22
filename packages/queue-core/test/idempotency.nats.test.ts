import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@asyncfn/testkit';
import { headers } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import type { Call } from '../src/index.ts';
import type { AcceptResult } from '../src/jetstream/index.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, type GatewaySide, openManager, startGatewaySide, startWorkerSide } from './harness.ts';
import { storedIn } from './stored-calls.ts';

const body = new TextEncoder().encode('the same each time');

function accept(side: GatewaySide, queue: string, key: string, changes: Partial<Call> = {}): Promise<AcceptResult> {
  return side.queue.accept(buildCall(queue, { body, ...changes }), { unique: false, key });
}

describe('a key that came before', () => {
  test('is answered with the first call, and nothing is stored', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const first = { id: 'the-first', startTime: '1700000000000000017', notBefore: Date.now() + 60_000 };
    expect(await accept(gateway, queue, key, first)).toMatchObject({ kind: 'stored' });
    const { id: callId, startTime, notBefore } = first;
    expect(await accept(gateway, queue, key)).toEqual({
      kind: 'replayed',
      earlier: { callId, startTime, notBefore },
    });
    await using look = await openManager(inject('natsUrl'));
    expect(await storedIn(look.manager, queue)).toEqual({ keys: ['the-first'], calls: ['the-first'] });
  });

  test.each([{ key: 'the same' }, {}])('is found in a queue that has just been created (%o)', async ({ key }) => {
    const queues = [uniqueQueue(), uniqueQueue()];
    await using one = await startGatewaySide(inject('natsUrl'));
    await using other = await startGatewaySide(inject('natsUrl'));
    const options = { unique: true, ...(key !== undefined && { key: `${key}-${queues[0]}` }) };
    // Both know the queues that exist now.
    await Promise.all([one, other].map((side) => side.queue.accept(buildCall(queues[0] ?? ''), { unique: true })));
    const call = buildCall(queues[1] ?? '', { body, id: `chosen-${queues[1]}` });
    expect(await one.queue.accept(call, options)).toMatchObject({ kind: 'stored' });
    const again = {
      kind: key === undefined ? 'refused' : 'replayed',
      ...(key === undefined && { reason: 'conflict' }),
    };
    expect(await one.queue.accept(call, options)).toMatchObject(again);
    expect(await other.queue.accept(call, options)).toMatchObject(again);
  });

  test.each([{ body: new Uint8Array([1]) }, { path: '/other' }, { query: 'other=1' }])(
    'with another call is told apart (%o)',
    async (changes) => {
      const queue = uniqueQueue();
      const key = `key-${queue}`;
      await using gateway = await startGatewaySide(inject('natsUrl'));
      await accept(gateway, queue, key);
      expect(await accept(gateway, queue, key, changes)).toEqual({ kind: 'key_reused' });
      expect(await accept(gateway, queue, key, { headers: [['Date', 'later']] })).toMatchObject({ kind: 'replayed' });
    },
  );

  test('is no conflict of ids if the caller has chosen the id as well, at two gateways at the same moment', async () => {
    const queue = uniqueQueue();
    await using one = await startGatewaySide(inject('natsUrl'));
    await using other = await startGatewaySide(inject('natsUrl'));
    await accept(one, queue, 'makes the queue');
    const race = async (id: string, turns: number): Promise<void> => {
      const call = buildCall(queue, { body, id: `chosen-${id}` });
      const options = { unique: true, key: `key-${id}` };
      const first = one.queue.accept(call, options);
      for (let turn = 0; turn < turns; turn++) {
        await new Promise(setImmediate);
      }
      const results = await Promise.all([first, other.queue.accept(call, options)]);
      expect(results.map(({ kind }) => kind).toSorted()).toEqual(['replayed', 'stored']);
    };
    // A little later each time, so that every step of the one meets every step of the other. They wait more than they
    // work.
    for (let turns = 0; turns < 40; turns += 4) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => race(`${turns}-${n}`, turns + (n % 4))));
    }
  });

  test('means another call for another function', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await accept(gateway, queue, key);
    expect(await accept(gateway, queue, key, { function: 'echo.prod' })).toMatchObject({ kind: 'stored' });
    expect(await accept(gateway, queue, `${key}!`)).toMatchObject({ kind: 'stored' });
  });

  test('outlives its call, and is forgotten when its window is over', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'), { idempotencyWindowMs: 2_000 });
    await using worker = await startWorkerSide(inject('natsUrl'));
    await accept(gateway, queue, key);
    worker.source.request({ queue, function: 'echo' }, 1, 60_000);
    await eventually(() => worker.deliveries.length === 1);
    worker.deliveries[0]?.ack();
    await using look = await openManager(inject('natsUrl'));
    await eventually(async () => (await storedIn(look.manager, queue)).calls.length === 0);
    expect(await accept(gateway, queue, key)).toMatchObject({ kind: 'replayed' });
    await eventually(async () => (await accept(gateway, queue, key)).kind === 'stored');
  });

  test('is found if its function has another queue since', async () => {
    const [before, since] = [uniqueQueue(), uniqueQueue()];
    const key = `key-${before}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await accept(gateway, before, key, { id: 'the-first' });
    expect(await accept(gateway, since, key)).toMatchObject({ earlier: { callId: 'the-first' } });
    expect(await accept(gateway, since, key, { path: '/other' })).toEqual({ kind: 'key_reused' });
  });
});

describe('100 calls with one key at once', () => {
  test('through four gateways are stored once', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using one = await startGatewaySide(inject('natsUrl'));
    await using two = await startGatewaySide(inject('natsUrl'));
    await using three = await startGatewaySide(inject('natsUrl'));
    await using four = await startGatewaySide(inject('natsUrl'));
    const results = await Promise.all(
      Array.from({ length: 25 }, (_, n) =>
        [one, two, three, four].map((side, m) => ({ side, id: `call-${4 * n + m}` })),
      )
        .flat()
        .map(({ side, id }) => accept(side, queue, key, { id })),
    );
    expect(results.filter(({ kind }) => kind === 'refused')).toEqual([]);
    expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
    const winner = results.findIndex(({ kind }) => kind === 'stored');
    const replays = results.filter((result) => result.kind === 'replayed');
    expect(replays).toHaveLength(99);
    expect(new Set(replays.map(({ earlier }) => earlier.callId))).toEqual(new Set([`call-${winner}`]));
    await using look = await openManager(inject('natsUrl'));
    const only = [`call-${winner}`];
    expect(await storedIn(look.manager, queue)).toEqual({ keys: only, calls: only });
  });

  test('of different bodies: those of the first body are its replays, the others are refused', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using one = await startGatewaySide(inject('natsUrl'));
    await using two = await startGatewaySide(inject('natsUrl'));
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        accept(n < 50 ? one : two, queue, key, { body: new Uint8Array([n % 2]), id: `${n % 2}-${n}` }),
      ),
    );
    expect(results.filter(({ kind }) => kind === 'refused')).toEqual([]);
    const winner = results.findIndex(({ kind }) => kind === 'stored');
    const kinds = results.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'stored')).toHaveLength(1);
    expect(kinds).toEqual(
      kinds.map((_, n) => (n === winner ? 'stored' : n % 2 === winner % 2 ? 'replayed' : 'key_reused')),
    );
  });
});

describe('a key with an id that the client chose', () => {
  test('is not remembered when the id is taken', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const mine = buildCall(queue, { id: `mine-${queue}`, body });
    expect(await gateway.queue.accept(mine, { unique: true })).toMatchObject({ kind: 'stored' });
    expect(await gateway.queue.accept(mine, { unique: true, key })).toMatchObject({ reason: 'conflict' });
    await using look = await openManager(inject('natsUrl'));
    expect(await storedIn(look.manager, queue)).toEqual({ keys: [], calls: [mine.id] });
    expect(await accept(gateway, queue, key)).toMatchObject({ kind: 'stored' });
  });

  test('is answered with the id that the key came with first', async () => {
    const queue = uniqueQueue();
    const key = `key-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const mine = buildCall(queue, { id: `mine-${queue}`, body });
    await gateway.queue.accept(mine, { unique: true, key });
    const again = { ...mine, id: `other-${queue}` };
    for (const call of [mine, again]) {
      expect(await gateway.queue.accept(call, { unique: true, key })).toMatchObject({
        kind: 'replayed',
        earlier: { callId: mine.id },
      });
    }
  });
});

describe('a broker that is lost while calls with keys are stored', () => {
  test.each([1, 50, 500])(
    'remembers no key without its call, and has every call that was confirmed (killed after %i, P1)',
    async (count) => {
      await using server = await startServer();
      await using one = await startGatewaySide(server.url, { publishTimeoutMs: 10_000 });
      await using two = await startGatewaySide(server.url, { publishTimeoutMs: 10_000 });
      const confirmed: string[] = [];
      let sent = 0;
      let isOver = false;
      const send = async (gateway: GatewaySide): Promise<void> => {
        while (!isOver) {
          sent += 1;
          const id = `call-${sent}`;
          const { kind } = await accept(gateway, 'default', `key-${sent}`, { id });
          if (kind === 'stored') {
            confirmed.push(id);
          }
          await delay(1);
        }
      };
      const senders = Array.from({ length: 64 }, (_, n) => send(n % 2 === 0 ? one : two));
      await eventually(() => confirmed.length >= count, { intervalMs: 1 });
      server.signal('SIGKILL');
      await server.exited;
      isOver = true;
      await Promise.all(senders);
      await server.restart();
      await eventually(() => one.queue.available && two.queue.available);
      await using look = await openManager(server.url);
      const { keys, calls } = await storedIn(look.manager, 'default');
      expect(keys).toEqual(calls);
      expect(confirmed.filter((id) => !calls.includes(id))).toEqual([]);
      // A client that repeats an unconfirmed call gets one call, whatever became of the first try.
      for (let n = 1; n <= sent; n += 50) {
        const keys = Array.from({ length: Math.min(50, sent + 1 - n) }, (_, m) => n + m);
        const again = await Promise.all(keys.map((k) => accept(two, 'default', `key-${k}`, { id: `again-${k}` })));
        expect(again.filter(({ kind }) => kind === 'refused')).toEqual([]);
      }
      expect((await storedIn(look.manager, 'default')).calls).toHaveLength(sent);
    },
  );
});

test('a stream that was created without room for keys gets it, and keeps its calls', async () => {
  const queue = uniqueQueue();
  const key = `key-${queue}`;
  await using look = await openManager(inject('natsUrl'));
  await using gateway = await startGatewaySide(inject('natsUrl'));
  await gateway.queue.accept(buildCall(queue, { id: 'old' }), { unique: false });
  const { config } = await look.manager.streams.info(`CALLS_${queue}`);
  const subjects = config.subjects.filter((subject) => !subject.includes('.key.'));
  await look.manager.streams.update(`CALLS_${queue}`, { ...config, subjects });
  await using next = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
  expect(await accept(next, queue, key, { id: 'new' })).toMatchObject({ kind: 'stored' });
  expect(await storedIn(look.manager, queue)).toEqual({ keys: ['new'], calls: ['new', 'old'] });
});

test('a key that cannot be read is no reason to store a call twice', async () => {
  const queue = uniqueQueue();
  const key = `key-${queue}`;
  await using gateway = await startGatewaySide(inject('natsUrl'));
  await accept(gateway, queue, key);
  await using look = await openManager(inject('natsUrl'));
  const [subject = ''] = Object.keys(
    (await look.manager.streams.info(`CALLS_${queue}`, { subjects_filter: `calls.${queue}.key.*` })).state.subjects ??
      {},
  );
  const message = headers();
  message.set('Asyncfn-Key', '{"v":0}');
  await gateway.publisher.publish({ subject, headers: message, body: new Uint8Array() });
  expect(await accept(gateway, queue, key)).toMatchObject({ kind: 'refused', reason: 'overloaded' });
  expect((await storedIn(look.manager, queue)).calls).toHaveLength(1);
});
