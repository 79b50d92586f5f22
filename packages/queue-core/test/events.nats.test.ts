import { eventually } from '@asyncfn/testkit';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventSubjects, eventsWantedCodec } from '../src/events/index.ts';
import type { CallEvent, Outcome } from '../src/index.ts';
import { type Broker, type EventListener, EventPublisher, EventSubscription } from '../src/jetstream/index.ts';
import { connected, createBroker, startServer, type TestBroker } from './connected.ts';
import { buildCall } from './harness.ts';

type Server = Awaited<ReturnType<typeof startServer>>;

let server: Server;
let nats: NatsConnection;
let worker: TestBroker;
let publisher: EventPublisher;

beforeAll(async () => {
  server = await startServer();
  nats = await connect({ servers: server.url });
});

afterAll(async () => {
  await nats.close();
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  worker = createBroker(server.url);
  publisher = new EventPublisher(worker.broker);
  worker.broker.start();
  await connected(worker.broker);
  await worker.broker.connection?.flush();
});

afterEach(() => worker[Symbol.asyncDispose]());

/** Says that events are wanted, as a gateway does. */
async function want(leaseMs: number, most = 100): Promise<void> {
  nats.publish(eventSubjects.wanted, eventsWantedCodec.encode({ v: 1, leaseMs, most }));
  await eventually(() => publisher.isWanted);
}

function listen(subject: string): string[] {
  const heard: string[] = [];
  nats.subscribe(subject, { callback: (_, message) => void heard.push(message.string()) });
  return heard;
}

class Recorder implements EventListener {
  readonly events: CallEvent[] = [];
  readonly missed: Record<string, number>[] = [];
  readonly losses: string[] = [];
  receive({ events, missed }: Parameters<EventListener['receive']>[0]): void {
    this.events.push(...events);
    this.missed.push({ ...missed });
  }
  lost(reason: string): void {
    this.losses.push(reason);
  }
}

async function subscribe(to: Broker): Promise<Recorder & Disposable> {
  const recorder = new Recorder();
  const subscription = new EventSubscription(to, recorder);
  await subscription.open();
  return Object.assign(recorder, { [Symbol.dispose]: () => subscription.close() });
}

test('nothing is published until events are wanted, nor after that has lapsed', async () => {
  const heard = listen(eventSubjects.happened);
  await nats.flush();
  publisher.accepted(buildCall('queue'));
  publisher.flush();
  await want(1_000);
  publisher.accepted(buildCall('queue'));
  publisher.flush();
  await eventually(() => heard.length === 1);
  await eventually(() => !publisher.isWanted);
  publisher.accepted(buildCall('queue'));
  publisher.flush();
  await worker.broker.connection?.flush();
  await nats.flush();
  expect(heard).toHaveLength(1);
});

test('a process that connects later is told at once that events are wanted', async () => {
  await using gateway = createBroker(server.url);
  gateway.broker.start();
  await connected(gateway.broker);
  using recorder = await subscribe(gateway.broker);
  await using late = createBroker(server.url);
  const another = new EventPublisher(late.broker);
  late.broker.start();
  // Sooner than the gateway would say it by itself.
  await eventually(() => another.isWanted, { timeoutMs: 1_500 });
  another.accepted(buildCall('queue'));
  await eventually(() => recorder.events.length === 1);
});

test('a process that was cut off has lost events, and one that is busy says how many it has left out', async () => {
  await using gateway = createBroker(server.url);
  gateway.broker.start();
  await connected(gateway.broker);
  using recorder = await subscribe(gateway.broker);
  await eventually(() => publisher.isWanted);
  for (let index = 0; index < 300; index++) {
    publisher.accepted(buildCall('queue'));
  }
  const name = buildCall('queue').function;
  await eventually(() => recorder.missed.length === 1);
  expect([recorder.events.length, recorder.missed, recorder.losses]).toEqual([64, [{ [name]: 236 }], []]);

  await worker.broker.connection?.reconnect();
  await eventually(() => {
    publisher.accepted(buildCall('queue'));
    publisher.flush();
    return recorder.losses.length > 0;
  });
  expect(recorder.losses).toEqual(['messages_lost']);
});

test('the callback of a call that has ended elsewhere is told with its outcome, and left out if that cannot be read', async () => {
  const heard = listen(eventSubjects.happened);
  await want(60_000);
  const key = { callId: 'call', startTime: '1700000000000000000', generation: 0, function: 'echo' };
  const outcome = {
    ...key,
    v: 1,
    queue: 'q',
    status: 'succeeded',
    attempts: 1,
    maxRetries: 1,
    endedAt: 1,
    headers: [],
  };
  const state = { v: 1, status: 'delivered', attempts: 1 } as const;
  publisher.callback(key, state, async () => ({ outcome: outcome as Outcome }));
  publisher.callback(key, state, async () => undefined);
  publisher.callback(key, state, () => Promise.reject(new Error('away')));
  await eventually(() => heard.length > 0);
  expect(JSON.parse(heard[0]!)).toMatchObject({ events: [{ kind: 'callback' }], missed: { echo: 2 } });
});
