import { once } from 'node:events';
import type { CallEvent } from '@asyncfn/queue-core';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Waiters } from '../src/waiting/waiters.ts';
import { callOf } from './call-fixture.ts';
import { type GatewayOverrides, startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { RawClient } from './raw-client.ts';
import { testToken, tokensOf } from './test-tokens.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

async function restart(overrides: GatewayOverrides): Promise<void> {
  await gateway[Symbol.asyncDispose]();
  gateway = await startTestGateway(overrides);
}

function accepted(id: string, name = 'echo', labels?: string[]): CallEvent {
  const { body: _, ...call } = callOf(id, { function: name, headers: [], ...(labels && { labels }) });
  return { kind: 'accepted', active: { phase: 'queued', call: { v: 1, ...call, headers: [], callbackHeaders: [] } } };
}

async function follow(query = '', headers: Record<string, string> = {}) {
  const gone = new AbortController();
  const { signal } = gone;
  const answer = await request(`${gateway.url}/system/events${query}`, { headers, signal });
  let text = '';
  answer.body.setEncoding('utf8').on('error', () => {});
  answer.body.on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    answer,
    leave: () => gone.abort(),
    text: () => text,
    ended: () => once(answer.body, 'end'),
    parts: () => text.split('\n\n').filter((part) => part.startsWith('event: ')),
  };
}

const missed = (data: object): string => `event: missed\ndata: ${JSON.stringify(data)}`;

test('a client is told of each event with the state of its call, until it leaves', async () => {
  const client = await follow();
  expect(client.answer.statusCode).toBe(200);
  expect(client.answer.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'private, no-store',
  });
  expect(gateway.events.isOpen).toBe(true);
  gateway.events.happen([accepted('call-1', 'echo', ['a=1'])]);
  await eventually(() => client.parts().length === 1);
  const [kind, data = ''] = client.parts()[0]!.split('\ndata: ');
  expect(kind).toBe('event: accepted');
  expect(JSON.parse(data)).toEqual({
    callId: 'call-1',
    function: 'echo',
    queue: 'default',
    status: 'queued',
    attempts: 0,
    maxRetries: 10,
    createdAt: '2026-01-31T12:00:00.000Z',
    labels: ['a=1'],
  });
  client.leave();
  await eventually(() => !gateway.events.isOpen);
});

test('what was left out is told by its number, and unknown losses by their reason', async () => {
  const client = await follow('', { 'Last-Event-ID': '17' });
  gateway.events.happen([], { echo: 2, 'hash.prod': 3, '..': 4 });
  gateway.events.lose();
  await eventually(() => client.parts().length === 3);
  expect(client.parts()).toEqual([
    missed({ missed: null, reason: 'not_kept' }),
    missed({ missed: 9 }),
    missed({ missed: null, reason: 'broker_unavailable' }),
  ]);
});

test('one function can be followed alone', async () => {
  const client = await follow('?function=hash.prod');
  gateway.events.happen([accepted('call-1'), accepted('call-2', 'hash.prod')], { echo: 2, 'hash.prod': 3 });
  await eventually(() => client.parts().length === 2);
  expect(client.parts()[0]).toContain('call-2');
  expect(client.parts()[1]).toBe(missed({ missed: 3 }));
  gateway.events.happen([], { '..': 4 });
  await eventually(() => client.parts().length === 3);
  expect(client.parts()[2]).toBe(missed({ missed: null, reason: 'messages_lost' }));
});

test('a token hears of its functions alone, and needs the scope', async () => {
  const reader = testToken('reader', { scopes: ['read'], functions: ['ec*'] });
  const invoker = testToken('invoker', { scopes: ['invoke'] });
  await restart({ tokens: () => tokensOf([reader, invoker]) });
  const client = await follow('', { Authorization: reader.bearer });
  gateway.events.happen([accepted('call-1'), accepted('call-2', 'hash.prod')], { 'hash.prod': 3, echo: 1 });
  await eventually(() => client.parts().length === 2);
  expect(client.text()).not.toContain('hash.prod');
  expect(client.parts()[1]).toBe(missed({ missed: 1 }));
  for (const [query, token, status] of [
    ['?function=hash.prod', reader.bearer, 403],
    ['', invoker.bearer, 403],
    ['', 'Bearer wrong', 401],
  ] as const) {
    expect((await follow(query, { Authorization: token })).answer.statusCode).toBe(status);
  }
});

test.each(['?function=', '?function=a/b', '?function=*', '?function=a&function=b', '?functoin=echo'])(
  'events for %s are refused',
  async (query) => {
    const answer = await request(`${gateway.url}/system/events${query}`);
    expect(answer.statusCode).toBe(400);
    expect(await answer.body.json()).toMatchObject({ code: 'invalid_parameter' });
  },
);

test.each([
  ['?function=a/b', /^function must be NAME or NAME\.NAMESPACE.*such as thumbnail/],
  ['?function=', /^function must be NAME/],
  ['?function=a&function=b', /^function is sent more than once: send it once/],
  ['?functoin=echo', /^There is a parameter that this path does not know\. It knows function\./],
])('what is wrong with %s is said', async (query, detail) => {
  const answer = await request(`${gateway.url}/system/events${query}`);
  expect(await answer.body.json()).toMatchObject({ status: 400, detail: expect.stringMatching(detail) });
});

test('events need a broker, and HEAD does not follow them', async () => {
  expect((await request(`${gateway.url}/system/events`, { method: 'HEAD' })).statusCode).toBe(200);
  expect(gateway.events.isOpen).toBe(false);
  gateway.events.available = false;
  const answer = await request(`${gateway.url}/system/events`);
  expect(answer.statusCode).toBe(503);
  expect(await answer.body.json()).toMatchObject({ code: 'broker_unavailable' });
});

describe('streams', () => {
  test('end when the gateway stops', async () => {
    const client = await follow();
    gateway.stopping.abort();
    await client.ended();
    expect(gateway.events.isOpen).toBe(false);
  });

  test('are 25 of one token and 100 in all, and their places become free again', async () => {
    const tokens = ['a', 'b', 'c', 'd', 'e'].map((name) => testToken(name, { scopes: ['read'] }));
    await restart({ tokens: () => tokensOf(tokens), waiters: new Waiters({ inAll: 1_000, perToken: 1_000 }) });
    const open = (at: number) => follow('', { Authorization: tokens[at]!.bearer });
    const clients = await Promise.all(Array.from({ length: 100 }, (_, index) => open(Math.floor(index / 25))));
    expect(new Set(clients.map(({ answer }) => answer.statusCode))).toEqual(new Set([200]));
    expect((await open(0)).answer.statusCode).toBe(429);
    expect((await open(4)).answer.statusCode).toBe(503);
    clients[0]!.leave();
    await eventually(async () => (await open(4)).answer.statusCode === 200);
  });

  test('count as requests that wait', async () => {
    const waiters = new Waiters({ inAll: 1, perToken: 1 });
    await restart({ waiters });
    const client = await follow();
    expect((await follow()).answer.statusCode).toBe(503);
    client.leave();
    await eventually(() => waiters.count === 0);
    expect((await follow()).answer.statusCode).toBe(200);
  });
});

test('a client that does not read holds a bounded number of bytes, and hears what it has missed once it reads', async () => {
  await using slow = await RawClient.connect(gateway.port);
  slow.socket.pause();
  slow.send('GET /system/events HTTP/1.1\r\nHost: g\r\n\r\n');
  await eventually(() => gateway.events.isOpen);
  const quick = await request(`${gateway.url}/system/events`);
  let tail = '';
  quick.body.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-200);
  });
  const labels = Array.from({ length: 10 }, () => 'x'.repeat(64));
  const releases = 250;
  const each = Array.from({ length: 100 }, () => accepted('call', 'echo', labels));
  for (let index = 1; index <= releases; index++) {
    gateway.events.happen([...each, accepted('last', `echo.${index}`)]);
    await eventually(() => tail.includes(`echo.${index}"`), { intervalMs: 1 });
  }
  quick.body.on('error', () => {}).destroy();
  slow.socket.resume();
  const count = (pattern: RegExp): number[] => [...slow.received.matchAll(pattern)].map(([, told = 1]) => Number(told));
  const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);
  await eventually(() => {
    const left = sum(count(/data: \{"missed":(\d+)\}/g));
    expect(left).toBeGreaterThan(0);
    expect(count(/event: accepted/g).length + left).toBe(releases * (each.length + 1));
    return true;
  });
});
