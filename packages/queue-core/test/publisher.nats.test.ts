import { eventually, startTcpProxy } from '@asyncfn/testkit';
import { AckPolicy, DiscardPolicy } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import type { PublishResult } from '../src/index.ts';
import { Broker, Publisher } from '../src/jetstream/index.ts';
import { connected, createBroker, RecordingLogger, startServer, uniqueQueue } from './connected.ts';
import { openManager } from './harness.ts';

interface Fixture extends AsyncDisposable {
  readonly broker: Broker;
  readonly publisher: Publisher;
  /** Publishes to the fixture's stream. */
  readonly publish: (token: string, changes?: { body?: Uint8Array; id?: string }) => Promise<PublishResult>;
  /** The content of the stream: the last tokens of its subjects, in order. */
  readonly stored: () => Promise<string[]>;
}

interface FixtureOptions {
  readonly timeoutMs?: number;
  readonly maxPending?: number;
  readonly maxPendingBytes?: number;
  /** The address for the publisher, if not the server itself. */
  readonly via?: string;
}

/** What does not wait for the time limit takes less than this, on a machine that stands still for seconds too. */
const atOnceMs = 30_000;
const patient = { timeoutMs: 2 * atOnceMs };

const body = new TextEncoder().encode('body');

async function startFixture(url: string, { via = url, ...options }: FixtureOptions = {}): Promise<Fixture> {
  const stream = uniqueQueue();
  const look = await openManager(url);
  await look.manager.streams.add({ name: stream, subjects: [`${stream}.*`] });
  await look.connection.close();
  const { broker } = createBroker(via);
  const publisher = new Publisher(broker, options);
  broker.start();
  await connected(broker);
  return {
    broker,
    publisher,
    publish: (token, changes = {}) => {
      const message = headers();
      if (changes.id !== undefined) {
        message.set('Nats-Msg-Id', changes.id);
      }
      return publisher.publish({ subject: `${stream}.${token}`, headers: message, body: changes.body ?? body });
    },
    stored: () => readTokens(url, stream),
    [Symbol.asyncDispose]: () => broker.stop(),
  };
}

async function readTokens(url: string, stream: string): Promise<string[]> {
  await using look = await openManager(url);
  const { name, num_pending: count } = await look.manager.consumers.add(stream, { ack_policy: AckPolicy.None });
  const tokens: string[] = [];
  if (count > 0) {
    const consumer = await look.manager.jetstream().consumers.get(stream, name);
    for await (const { subject } of await consumer.fetch({ max_messages: count, expires: 10_000 })) {
      tokens.push(subject.slice(stream.length + 1));
    }
  }
  return tokens;
}

async function timed<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const before = performance.now();
  return { value: await promise, ms: performance.now() - before };
}

describe('a message', () => {
  test('that is stored has its place in the stream', async () => {
    await using fixture = await startFixture(inject('natsUrl'));
    expect(await fixture.publish('a')).toEqual({ kind: 'stored', sequence: 1, duplicate: false });
    expect(await fixture.publish('b')).toEqual({ kind: 'stored', sequence: 2, duplicate: false });
    expect(await fixture.stored()).toEqual(['a', 'b']);
  });

  test('that was stored before under its id is a duplicate', async () => {
    await using fixture = await startFixture(inject('natsUrl'));
    await fixture.publish('a', { id: 'one' });
    expect(await fixture.publish('a', { id: 'one' })).toEqual({ kind: 'stored', sequence: 1, duplicate: true });
    expect(await fixture.stored()).toEqual(['a']);
  });

  test('that is larger than the server takes is too_large', async () => {
    await using server = await startServer({ maxPayload: 2_000 });
    await using fixture = await startFixture(server.url);
    const result = await fixture.publish('a', { body: new Uint8Array(3_000) });
    expect(result).toMatchObject({ kind: 'refused', reason: 'too_large' });
    expect(await fixture.publish('b')).toMatchObject({ kind: 'stored' });
  });

  test('that is larger than the stream takes is too_large, and one too many queue_full', async () => {
    await using look = await openManager(inject('natsUrl'));
    const stream = uniqueQueue();
    await look.manager.streams.add({
      name: stream,
      subjects: [`${stream}.*`],
      max_msg_size: 1_000,
      max_msgs: 1,
      discard: DiscardPolicy.New,
    });
    await using fixture = await startFixture(inject('natsUrl'));
    const publish = (size: number): Promise<PublishResult> =>
      fixture.publisher.publish({ subject: `${stream}.a`, headers: headers(), body: new Uint8Array(size) });
    expect(await publish(2_000)).toMatchObject({ reason: 'too_large' });
    expect(await publish(10)).toMatchObject({ kind: 'stored' });
    expect(await publish(10)).toMatchObject({ reason: 'queue_full' });
  });

  test('without a stream is unavailable, at once', async () => {
    await using fixture = await startFixture(inject('natsUrl'), patient);
    const subject = `${uniqueQueue()}.unknown`;
    const { value, ms } = await timed(fixture.publisher.publish({ subject, headers: headers(), body }));
    expect(value).toMatchObject({ kind: 'refused', reason: 'unavailable' });
    expect(ms).toBeLessThan(atOnceMs);
  });
});

describe('a burst', () => {
  test('of 20,000 messages keeps its order, and each has its answer', async () => {
    await using fixture = await startFixture(inject('natsUrl'));
    const tokens: string[] = [];
    for (let batch = 0; batch < 20; batch++) {
      const names = Array.from({ length: 1_000 }, (_, n) => `m${batch * 1_000 + n}`);
      const results = await Promise.all(names.map((name) => fixture.publish(name)));
      expect(results.filter(({ kind }) => kind !== 'stored')).toEqual([]);
      tokens.push(...names);
    }
    expect(await fixture.stored()).toEqual(tokens);
  });

  test('at once is stored in order or refused as overloaded, nothing in between', async () => {
    await using fixture = await startFixture(inject('natsUrl'));
    const names = Array.from({ length: 20_000 }, (_, n) => `m${n}`);
    const results = await Promise.all(names.map((name) => fixture.publish(name)));
    const kept = names.filter((_, n) => results[n]?.kind === 'stored');
    const reasons = results.map((result) => (result.kind === 'refused' ? result.reason : 'stored'));
    expect(new Set(reasons)).toEqual(new Set(['stored', 'overloaded']));
    expect(kept.length).toBeGreaterThanOrEqual(8_192);
    expect(await fixture.stored()).toEqual(kept);
  });

  test('beyond maxPending is overloaded, is never stored, and there is room again after the answers', async () => {
    await using fixture = await startFixture(inject('natsUrl'), { maxPending: 3 });
    const results = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((token) => fixture.publish(token)));
    expect(results.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored', 'refused', 'refused']);
    expect(results[3]).toMatchObject({ reason: 'overloaded' });
    expect(await fixture.publish('f')).toMatchObject({ kind: 'stored' });
    expect(await fixture.stored()).toEqual(['a', 'b', 'c', 'f']);
  });

  test('of more bytes than may wait is overloaded', async () => {
    await using fixture = await startFixture(inject('natsUrl'), { maxPendingBytes: 2_500 });
    const large = new Uint8Array(1_000);
    const results = await Promise.all(['a', 'b', 'c'].map((token) => fixture.publish(token, { body: large })));
    expect(results.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'refused']);
    expect(await fixture.publish('d', { body: large })).toMatchObject({ kind: 'stored' });
  });
});

describe('a server that is away', () => {
  test('before the first connection: everything is unavailable at once', async () => {
    const broker = new Broker({
      servers: ['127.0.0.1:9'],
      name: 't',
      logger: new RecordingLogger(),
      onFatal: () => {},
    });
    const publisher = new Publisher(broker);
    const result = await publisher.publish({ subject: 'a.b', headers: headers(), body });
    expect(result).toMatchObject({ kind: 'refused', reason: 'unavailable' });
    await publisher.flush();
  });

  test('refuses everything in flight, fast, and later messages at once; nothing of it is stored later', async () => {
    await using server = await startServer();
    await using fixture = await startFixture(server.url, patient);
    await fixture.publish('before');
    await server.pause();
    const inFlight = ['a', 'b', 'c'].map((token) => fixture.publish(token));
    server.signal('SIGKILL');
    const { value, ms } = await timed(Promise.all(inFlight));
    expect(value.map((result) => result.kind === 'refused' && result.reason)).toEqual(Array(3).fill('unavailable'));
    expect(ms).toBeLessThan(atOnceMs);
    await fixture.publisher.flush();
    const next = await timed(fixture.publish('after'));
    expect(next.value).toMatchObject({ reason: 'unavailable' });
    expect(next.ms).toBeLessThan(atOnceMs);

    await server.restart();
    await connected(fixture.broker);
    expect(await fixture.publish('again')).toMatchObject({ kind: 'stored' });
    const stored = await fixture.stored();
    expect(stored).not.toContain('after');
    expect(stored.at(-1)).toBe('again');
  });

  test('answers on the previous connection do not count for messages of the next', async () => {
    await using proxy = await startTcpProxy({ port: Number(new URL(inject('natsUrl')).port) });
    await using fixture = await startFixture(inject('natsUrl'), { via: `nats://${proxy.host}:${proxy.port}` });
    proxy.stall();
    const lost = fixture.publish('lost');
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    expect(await lost).toMatchObject({ reason: 'unavailable' });
    proxy.heal();
    await eventually(() => fixture.broker.reconnects === 1);
    const results = await Promise.all(['a', 'b'].map((token) => fixture.publish(token)));
    expect(results.map(({ kind }) => kind)).toEqual(['stored', 'stored']);
    expect((await fixture.stored()).slice(-2)).toEqual(['a', 'b']);
  });
});

describe('a server that hangs', () => {
  test('is a timeout within the limit, then unavailable at once until it answers, and late answers are ignored', async () => {
    await using server = await startServer();
    await using fixture = await startFixture(server.url, { timeoutMs: 1_500 });
    await server.pause();
    const first = timed(fixture.publish('first'));
    await new Promise((resolve) => setImmediate(resolve));
    const second = timed(fixture.publish('second')); // a deadline of its own, a moment later
    for (const { value, ms } of [await first, await second]) {
      expect(value).toMatchObject({ kind: 'refused', reason: 'timeout' });
      expect(ms).toBeGreaterThan(1_450);
      expect(ms).toBeLessThan(atOnceMs);
    }
    // Not a timeout.
    expect(await fixture.publish('refused')).toMatchObject({ reason: 'unavailable' });
    server.signal('SIGCONT');
    await connected(fixture.broker);
    expect(await fixture.publish('again')).toMatchObject({ kind: 'stored' });
    expect(await fixture.stored()).not.toContain('refused');
  });
});

test('a flush waits for every answer', async () => {
  await using fixture = await startFixture(inject('natsUrl'));
  const settled: string[] = [];
  for (const token of ['a', 'b', 'c']) {
    void fixture.publish(token).then(() => settled.push(token));
  }
  await fixture.publisher.flush();
  expect(settled).toEqual(['a', 'b', 'c']);
  await fixture.publisher.flush();
});
