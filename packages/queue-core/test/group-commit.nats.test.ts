import { setTimeout as delay } from 'node:timers/promises';
import type { NatsServer } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';
import { AckPolicy } from '@nats-io/jetstream';
import { expect, inject, test } from 'vitest';
import { FunctionRegister } from '../src/functions/index.ts';
import { type Call, createCallId, type Outcome } from '../src/index.ts';
import { type AcceptResult, CallQueue, CallStore } from '../src/jetstream/index.ts';
import { GroupCommit } from '../src/jetstream/publish/group-commit.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, type GatewaySide, openManager, startGatewaySide } from './harness.ts';

interface Fixture extends AsyncDisposable {
  readonly side: GatewaySide;
  readonly queue: string;
  accept(call: Call): Promise<AcceptResult>;
}

/** A gateway side that always stores in groups. */
async function startGrouping(url: string, options: { publishTimeoutMs?: number } = {}): Promise<Fixture> {
  const queue = uniqueQueue();
  const side = await startGatewaySide(url, {
    queues: [queue],
    functions: [functionConfig('echo', queue)],
    ...options,
  });
  const { broker, topology, publisher } = side;
  const calls = new CallQueue({
    broker,
    topology,
    publisher: new GroupCommit(publisher, { isWorthIt: () => true, onLate: () => broker.suspect() }),
    register: new FunctionRegister({ functions: new Map(), fallback: undefined }),
  });
  await calls.accept(buildCall(queue), { unique: false }); // opens the lane
  return {
    side,
    queue,
    accept: (call) => calls.accept(call, { unique: false }),
    [Symbol.asyncDispose]: () => side[Symbol.asyncDispose](),
  };
}

/** Ids of the calls in the queue, in their order, with the sequence of each. */
async function storedCalls(url: string, queue: string): Promise<Map<string, number>> {
  await using look = await openManager(url);
  const stream = `CALLS_${queue}`;
  const found = new Map<string, number>();
  const { state } = await look.manager.streams.info(stream);
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await look.manager.streams.getMessage(stream, { seq });
    if (message !== null) {
      found.set(message.subject.split('.').at(5) ?? '', message.seq);
    }
  }
  return found;
}

test('calls that come together are stored as they would be alone, each with its own place in the stream', async () => {
  const url = inject('natsUrl');
  await using fixture = await startGrouping(url);
  const calls = Array.from({ length: 100 }, () => buildCall(fixture.queue));
  const results = await Promise.all(calls.map((call) => fixture.accept(call)));
  const stored = await storedCalls(url, fixture.queue);
  for (const [index, call] of calls.entries()) {
    expect(results[index]).toEqual({ kind: 'stored', sequence: stored.get(call.id), duplicate: false });
  }
  expect(stored.size).toBe(101);
});

test('a worker gets the calls of a group one by one, byte for byte', async () => {
  const url = inject('natsUrl');
  await using fixture = await startGrouping(url);
  const calls = Array.from({ length: 20 }, () => buildCall(fixture.queue));
  await Promise.all(calls.map((call) => fixture.accept(call)));
  await using look = await openManager(url);
  const bodies: string[] = [];
  const consumer = await look.manager.jetstream().consumers.get(`CALLS_${fixture.queue}`, 'echo');
  for await (const message of await consumer.fetch({ max_messages: 21, expires: 10_000 })) {
    bodies.push(message.string());
    message.ack();
  }
  expect(bodies.slice(1).toSorted()).toEqual(calls.map(({ id }) => `body of ${id}`).toSorted());
  expect((await look.manager.consumers.info(`CALLS_${fixture.queue}`, 'echo')).config.ack_policy).toBe(
    AckPolicy.Explicit,
  );
});

test('a call that the stream refuses does not affect those that came with it', async () => {
  await using server = await startServer();
  await using fixture = await startGrouping(server.url);
  await using look = await openManager(server.url);
  const stream = `CALLS_${fixture.queue}`;
  const { config } = await look.manager.streams.info(stream);
  await look.manager.streams.update(stream, { ...config, max_msg_size: 2_000 });
  const calls = Array.from({ length: 40 }, (_, index) =>
    buildCall(fixture.queue, index === 17 ? { body: new Uint8Array(3_000) } : {}),
  );
  const results = await Promise.all(calls.map((call) => fixture.accept(call)));
  expect(results[17]).toMatchObject({ kind: 'refused', reason: 'too_large' });
  expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(39);
  const stored = await storedCalls(server.url, fixture.queue);
  expect(stored.size).toBe(40);
  expect(stored.has(calls[17]!.id)).toBe(false);
});

test('a broker that hangs is reported within the time limit, and later messages are stored once it is back', async () => {
  await using server = await startServer();
  await using fixture = await startGrouping(server.url, { publishTimeoutMs: 500 });
  await server.pause();
  const startedAt = performance.now();
  const results = await Promise.all(
    Array.from({ length: 50 }, async () => {
      await delay(Math.random() * 200);
      return await fixture.accept(buildCall(fixture.queue));
    }),
  );
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  expect(results.every(({ kind }) => kind === 'refused')).toBe(true);
  server.signal('SIGCONT');
  await eventually(() => fixture.side.broker.connected);
  expect(await fixture.accept(buildCall(fixture.queue))).toMatchObject({ kind: 'stored' });
});

/** Accepts calls without a pause; returns those that were confirmed. */
async function acceptUntil(fixture: Fixture, isOver: () => boolean): Promise<Set<string>> {
  const confirmed = new Set<string>();
  const send = async (): Promise<void> => {
    while (!isOver()) {
      const call = buildCall(fixture.queue);
      const result = await fixture.accept(call);
      if (result.kind === 'stored') {
        confirmed.add(call.id);
      } else {
        await delay(5);
      }
    }
  };
  await Promise.all(Array.from({ length: 64 }, send));
  return confirmed;
}

async function killAndRestart(server: NatsServer, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await delay(200 + Math.random() * 200);
    await server.restart({ signal: 'SIGKILL' });
  }
}

test('every confirmed call is stored, even if the broker is killed in the middle of a commit', async () => {
  await using server = await startServer({ syncInterval: 'always' });
  await using fixture = await startGrouping(server.url);
  let isOver = false;
  const accepting = acceptUntil(fixture, () => isOver);
  await killAndRestart(server, 4);
  await using look = await openManager(server.url);
  const count = async (): Promise<number> => (await look.manager.streams.info(`CALLS_${fixture.queue}`)).state.messages;
  const before = await count();
  // It goes on after the last kill.
  await eventually(async () => (await count()) > before, { intervalMs: 50 });
  isOver = true;
  const confirmed = await accepting;
  const stored = await storedCalls(server.url, fixture.queue);
  expect([...confirmed].filter((id) => !stored.has(id))).toEqual([]);
  expect(confirmed.size).toBeGreaterThan(100);
});

function outcomeOf(callId: string): Outcome {
  return {
    v: 1,
    callId,
    generation: 0,
    function: 'echo',
    queue: 'default',
    status: 'succeeded',
    attempts: 1,
    maxRetries: 0,
    startTime: '1700000000000000000',
    endedAt: Date.now(),
    headers: [],
  };
}

test('outcomes that come together are stored once each, and only the one of a call that has ended before is refused', async () => {
  const url = inject('natsUrl');
  await using fixture = await startGrouping(url);
  const { broker, topology, publisher } = fixture.side;
  const groups = new GroupCommit(publisher, { isWorthIt: () => true, onLate: () => broker.suspect() });
  const store = new CallStore(publisher, topology, groups);
  const ids = Array.from({ length: 40 }, () => createCallId());
  const body = (text: string): Uint8Array => Buffer.from(text);
  const record = (callIds: readonly string[], text: string) =>
    Promise.all(callIds.map((callId) => store.recordOutcome(outcomeOf(callId), body(text))));

  const first = await record(ids.slice(0, 20), 'first');
  expect(first.map(({ kind }) => kind)).toEqual(Array.from({ length: 20 }, () => 'stored'));
  const second = await record(ids.slice(19), 'second');
  expect(second[0]).toMatchObject({ kind: 'refused', reason: 'conflict' });
  expect(second.slice(1).map(({ kind }) => kind)).toEqual(Array.from({ length: 20 }, () => 'stored'));

  for (const [callId = '', text] of [
    [ids[0], 'first'],
    [ids[19], 'first'],
    [ids[20], 'second'],
  ]) {
    const found = await store.findOutcome(outcomeOf(callId));
    expect(Buffer.from(found?.body ?? []).toString()).toBe(text);
  }
});
