import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { ApiClient, CallClient, EventsClient, type Stack, type SystemEvent } from '@asyncfn/stack';
import {
  echo,
  eventually,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let fn: TestFunction;
let client: ApiClient;
let calls: CallClient;

beforeAll(async () => {
  fn = await startTestFunction();
  const retry = { attempts: 2, minWait: '50ms', maxWait: '50ms', backoff: 'exponential' };
  const entry = { url: fn.url, retry };
  stack = await startStack({
    functions: { fn: entry, other: entry, next: entry },
    groups: { both: ['fn', 'other'] },
    gateways: 2,
    workers: 2,
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

afterAll(async () => {
  await Promise.all([client, calls, stack, fn].map((part) => part[Symbol.asyncDispose]()));
});

const places: Readonly<Record<string, number>> = { accepted: 0, started: 0, attempt: 1, ended: 1_000, callback: 1_001 };

/** The events of a call in their order: those of a process that stands still for a moment may come later. */
function storyOf(events: EventsClient, callId: string): SystemEvent[] {
  const place = ({ kind, data }: SystemEvent): number =>
    Number(data['replays'] ?? 0) * 10_000 + Number(data['attempts']) * 2 + (places[kind] ?? 0);
  return events.of(callId).toSorted((one, other) => place(one) - place(other));
}

const kindsOf = (events: EventsClient, callId: string): string[] => storyOf(events, callId).map(({ kind }) => kind);

const follow = (query = ''): Promise<EventsClient> => EventsClient.open(stack.gateway.url, { query });

test('nothing is published while no client follows events', async () => {
  const nats = await connect({ servers: stack.nats.url });
  const subjects: string[] = [];
  nats.subscribe('asyncfn.events.>', { callback: (_, { subject }) => void subjects.push(subject) });
  await nats.flush();
  await Promise.all((await client.acceptMany('fn', 20)).map((id) => calls.untilEnded(id)));
  expect(subjects).toEqual([]);
  await using events = await follow();
  await client.accept('fn');
  await eventually(() => events.received > 0);
  expect(new Set(subjects)).toEqual(new Set(['asyncfn.events.wanted', 'asyncfn.events.happened']));
  await nats.close();
});

test('a call that is retried and called back is told step by step, at every gateway, each with the state as it is then', async () => {
  await using receiver = await startCallbackReceiver();
  await using events = await follow();
  await using elsewhere = await EventsClient.open(stack.gateways[1]!.url);
  fn.handler = status(503, { times: 2 });
  const callId = await client.accept('fn', { callbackUrl: `${receiver.url}/?s3cr3t`, headers: { 'X-Label': 'a=1' } });
  const kinds = ['accepted', 'started', 'attempt', 'started', 'attempt', 'started', 'attempt', 'ended', 'callback'];
  await eventually(
    () => events.kindsOf(callId).length === kinds.length && elsewhere.kindsOf(callId).length === kinds.length,
  );
  expect(kindsOf(events, callId)).toEqual(kinds);
  expect(kindsOf(elsewhere, callId)).toEqual(kinds);

  const told = storyOf(events, callId).map(({ data }) => data);
  const statuses = [
    'queued',
    'running',
    'retrying',
    'running',
    'retrying',
    'running',
    'running',
    'succeeded',
    'succeeded',
  ];
  expect(told.map((data) => data['status'])).toEqual(statuses);
  expect(told.map((data) => data['attempts'])).toEqual([0, 1, 1, 2, 2, 3, 3, 3, 3]);
  expect(told[2]).toMatchObject({
    notBefore: expect.any(String),
    attempt: { attempt: 1, status: 503, verdict: 'retry' },
  });
  expect(told[6]).toMatchObject({
    attempt: { attempt: 3, status: 200, verdict: 'succeeded', worker: expect.any(String) },
  });
  // The last state is what everyone else is told.
  expect(told[8]).toEqual(await calls.state(callId));
  expect(told[0]).toEqual({
    callId,
    function: 'fn',
    queue: 'default',
    status: 'queued',
    attempts: 0,
    maxRetries: 2,
    createdAt: told[8]?.['createdAt'],
    labels: ['a=1'],
    callback: { url: `${receiver.url}/`, status: 'pending', attempts: 0 },
  });
});

test('a call that fails, is replayed, and is cancelled while it is scheduled: each has its events', async () => {
  await using events = await follow();
  fn.handler = status(400);
  const failed = await client.accept('fn');
  await calls.until(failed, 'failed');
  const letter = `${stack.gateway.url}/system/dead-letters/${failed}`;
  await eventually(async () => (await fetch(letter)).ok);
  fn.handler = echo;
  expect((await fetch(`${letter}/replay`, { method: 'POST' })).status).toBe(202);
  const once = ['accepted', 'started', 'attempt', 'ended'];
  await eventually(() => events.kindsOf(failed).length === 8);
  expect(kindsOf(events, failed)).toEqual([...once, ...once]);
  expect(storyOf(events, failed)[4]?.data).toMatchObject({ status: 'queued', attempts: 0, replays: 1 });

  const later = await client.accept('fn', { headers: { 'X-Delay': '1h' } });
  expect((await calls.ask(later, '', 'DELETE')).status).toBe(202);
  await eventually(() => events.kindsOf(later).length === 2);
  expect(storyOf(events, later).map(({ kind, data }) => [kind, data['status']])).toEqual([
    ['accepted', 'scheduled'],
    ['ended', 'cancelled'],
  ]);
});

test('steps of a chain and items of a batch are accepted like other calls, and one function can be followed alone', async () => {
  await using events = await follow();
  await using ofNext = await follow('?function=next');
  const root = await client.accept('fn', { headers: { 'X-Then': 'next' } });
  const { body } = await eventually(async () => {
    const answer = await calls.ask(root);
    return answer.body['next'] === undefined ? undefined : answer;
  });
  const step = String(body['next']);
  const batch = await client.call('both');
  const { calls: items } = JSON.parse(batch.text) as { calls: { callId: string }[] };
  const all = ['accepted', 'started', 'attempt', 'ended'];
  for (const callId of [root, step, ...items.map((item) => item.callId)]) {
    await eventually(() => events.kindsOf(callId).length === all.length);
    expect(kindsOf(events, callId)).toEqual(all);
  }
  expect(storyOf(events, step)[0]?.data).toMatchObject({ rootId: root, function: 'next' });
  expect(ofNext.events.map(({ data }) => data['callId'])).toEqual([step, step, step, step]);
});

test('under load events are left out, and what came and what was left out is what happened', async () => {
  const count = 500;
  // As a gateway does that hears of very many processes.
  const nats = await connect({ servers: stack.nats.url });
  const wanted = JSON.stringify({ v: 1, leaseMs: 6_000, most: 2 });
  const asking = setInterval(() => nats.publish('asyncfn.events.wanted', wanted), 10);
  // It never reads.
  const stuck = connectSocket({ host: '127.0.0.1', port: Number(new URL(stack.gateway.url).port) });
  await once(stuck, 'connect');
  stuck.pause().write('GET /system/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await using events = await follow();
  await using ofOther = await follow('?function=other');
  await using load = new ApiClient(stack.gateway.url, 100);
  const other = await load.acceptMany('other', 50);
  await load.acceptMany('fn', count);
  await eventually(
    () => {
      expect(events.received + events.missed).toBe(4 * (count + other.length));
      expect(ofOther.received + ofOther.missed).toBe(4 * other.length);
      return true;
    },
    { timeoutMs: 60_000 },
  );
  expect(events.missed).toBeGreaterThan(0);
  expect(events.events.filter(({ data }) => data['missed'] === null)).toEqual([]);
  stuck.destroy();
  clearInterval(asking);
  await nats.close();
});

test('an outage of the broker is told, the stream goes on after it, and ends when its gateway stops', async () => {
  const gateway = await stack.startGateway();
  await using events = await EventsClient.open(gateway.url);
  await stack.haltNats();
  await eventually(() => events.events.some(({ kind }) => kind === 'missed'));
  expect(events.events).toEqual([{ kind: 'missed', data: { missed: null, reason: 'broker_unavailable' } }]);
  await stack.nats.restart();
  await eventually(
    async () => {
      const answer = await client.call('fn');
      return (
        answer.status === 202 && (await eventually(() => events.of(answer.callId).length > 0, { timeoutMs: 2_000 }))
      );
    },
    { timeoutMs: 60_000 },
  );
  const stopped = gateway.stop();
  await events.ended;
  expect(await stopped).toMatchObject({ code: 0 });
});
