import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Waiters } from '../src/waiting/waiters.ts';
import { activeCall, endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { post, RawClient } from './raw-client.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const first = testToken('first', { scopes: ['read'] });
const second = testToken('second', { scopes: ['read'] });
const third = testToken('third', { scopes: ['read'] });
const events = { accept: 'text/event-stream' };
const largeBytes = 30_000_000;

let waiters: Waiters;
let gateway: TestGateway;

beforeEach(async () => {
  waiters = new Waiters({ inAll: 3, perToken: 2 });
  gateway = await startTestGateway({ waiters });
  gateway.calls.states.set('call-1', activeCall('call-1', 'queued'));
});

afterEach(() => gateway[Symbol.asyncDispose]());

function get(query = '', headers = '', method = 'GET'): string {
  return `${method} /async-function/call-1${query} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

function answersIn(received: string): string[] {
  return received.match(/HTTP\/1\.1 \d+/g) ?? [];
}

describe('a HEAD', () => {
  test.each([
    ['?wait=5m', ''],
    ['', 'Accept: text/event-stream\r\n'],
    ['?wait=5m', 'Accept: text/event-stream\r\n'],
  ])('with "%s" and "%s" has nothing to wait for', async (query, headers) => {
    await using client = await RawClient.connect(gateway.port);
    client.send(get(query, headers, 'HEAD'));
    expect(await client.answer(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 /);
    expect(gateway.watches.scopes).toEqual([]);
    const { headers: told } = await request(`${gateway.url}/async-function/call-1${query}`, {
      method: 'HEAD',
      headers: headers === '' ? {} : events,
    });
    expect(told['content-type']).toBe(headers === '' ? 'application/json; charset=utf-8' : events.accept);
  });
});

describe('a request that waits', () => {
  test.each(['?wait=1m', ''])('with "%s" holds up those behind it on its connection', async (query) => {
    await using client = await RawClient.connect(gateway.port);
    client.send(get(query, query === '' ? 'Accept: text/event-stream\r\n' : '') + post('/async-function/echo'));
    await eventually(() => gateway.watches.count === 1);
    await using other = await RawClient.connect(gateway.port);
    other.send(post('/async-function/echo'));
    await other.answer();
    expect(gateway.queue.accepted).toHaveLength(1);

    gateway.calls.states.set('call-1', endedCall('call-1'));
    gateway.watches.hear();
    await eventually(() => gateway.queue.accepted.length === 2);
    await eventually(() => answersIn(client.received).length === 2);
    expect(answersIn(client.received)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 202']);
  });

  test.each(['', 'Accept: text/event-stream\r\n'])(
    'ends with a connection that its client no longer reads ("%s")',
    async (accept) => {
      await using client = await RawClient.connect(gateway.port);
      client.send(get('?wait=5m', accept).repeat(5_000));
      await eventually(() => gateway.watches.count === 1);
      client.socket.resetAndDestroy();
      await eventually(() => gateway.watches.count === 0 && waiters.count === 0);
    },
  );

  test.each(['', 'Accept: text/event-stream\r\n'])(
    'whose connection ends during the lookup does not begin to wait ("%s")',
    async (accept) => {
      const find = gateway.calls.find.bind(gateway.calls);
      let finds = 0;
      gateway.calls.find = async (callId) => {
        const state = await find(callId);
        finds += 1;
        if (finds === 1) {
          client.socket.resetAndDestroy();
          await eventually(() => sockets.every(({ destroyed }) => destroyed));
        }
        return state;
      };
      const sockets: { destroyed: boolean }[] = [];
      gateway.app.server.on('connection', (socket) => sockets.push(socket));
      await using client = await RawClient.connect(gateway.port);
      client.send(get('?wait=5m', accept));
      await eventually(() => finds > 0);
      await eventually(() => gateway.watches.count === 0 && waiters.count === 0);
    },
  );
});

test.each(['', 'Accept: text/event-stream\r\n'])(
  'an unwanted body does not hide that the client of a wait has left ("%s")',
  async (accept) => {
    const [left, stays] = [await RawClient.connect(gateway.port), await RawClient.connect(gateway.port)];
    for (const client of [left, stays]) {
      client.send(get('?wait=5m', `${accept}Transfer-Encoding: chunked\r\n`));
      client.send(`${largeBytes.toString(16)}\r\n${'x'.repeat(largeBytes)}`);
    }
    await eventually(() => gateway.watches.count === 2);
    // More than the system buffers for a connection that is not read.
    await eventually(() => left.socket.writableLength === 0 && stays.socket.writableLength === 0);
    left.socket.destroy();
    await eventually(() => gateway.watches.count === 1 && waiters.count === 1);
    stays.socket.resetAndDestroy();
    await eventually(() => gateway.watches.count === 0 && waiters.count === 0);
  },
);

test('no calls are looked up any more for clients that have gone', async () => {
  let finds = 0;
  const find = gateway.calls.find.bind(gateway.calls);
  gateway.calls.find = (address) => {
    finds += 1;
    return find(address);
  };
  await using client = await RawClient.connect(gateway.port);
  client.send(get('?wait=5m'));
  await eventually(() => gateway.watches.count === 1 && finds === 2);
  client.socket.resetAndDestroy();
  await eventually(() => gateway.watches.count === 0 && waiters.count === 0);
  expect(finds).toBe(2);
});

describe('beyond the limits', () => {
  async function ask(gatewayUrl: string, headers: Record<string, string> = {}, query = '?wait=5m') {
    const gone = new AbortController();
    const answer = request(`${gatewayUrl}/async-function/call-1${query}`, { headers, signal: gone.signal });
    answer.catch(() => undefined);
    return { answer, gone };
  }

  test('a request that would wait is 503 with Retry-After, and those that do not wait are answered', async () => {
    const waiting = await Promise.all([ask(gateway.url), ask(gateway.url, events, ''), ask(gateway.url)]);
    await eventually(() => waiters.count === 3);
    for (const [headers, query] of [
      [{}, '?wait=5m'],
      [events, ''],
    ] as const) {
      const refused = await (await ask(gateway.url, headers, query)).answer;
      expect(refused.statusCode).toBe(503);
      expect(refused.headers['retry-after']).toBe('5');
      expect(await refused.body.json()).toMatchObject({ code: 'overloaded', status: 503 });
    }
    expect((await (await ask(gateway.url, {}, '')).answer).statusCode).toBe(200);

    waiting[0]?.gone.abort();
    await eventually(() => waiters.count === 2);
    await ask(gateway.url);
    await eventually(() => waiters.count === 3);
  });

  test('a token has a limit of its own: 429, and other tokens wait as before', async () => {
    const limits = new Waiters({ inAll: 4, perToken: 2 });
    await using guarded = await startTestGateway({
      waiters: limits,
      tokens: () => tokensOf([first, second, third]),
    });
    guarded.calls.states.set('call-1', activeCall('call-1', 'queued'));
    const as = ({ bearer }: { bearer: string }) => ask(guarded.url, { authorization: bearer });
    await Promise.all([as(first), as(first), as(second)]);
    await eventually(() => limits.count === 3);
    const refused = await (await as(first)).answer;
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '5']);
    expect(await refused.body.json()).toMatchObject({ code: 'too_many_waiting' });
    await as(third);
    await eventually(() => limits.count === 4);
  });

  test('a call that has ended is answered all the same', async () => {
    await Promise.all([ask(gateway.url), ask(gateway.url), ask(gateway.url)]);
    await eventually(() => waiters.count === 3);
    gateway.calls.states.set('call-2', endedCall('call-2'));
    const { statusCode } = await request(`${gateway.url}/async-function/call-2?wait=5m`);
    expect(statusCode).toBe(200);
  });
});
