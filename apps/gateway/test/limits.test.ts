import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { BodyBudget } from '../src/http/body-budget.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange, post, RawClient } from './raw-client.ts';
import { testToken, tokensOf } from './test-tokens.ts';

/** The headers and the framing of an answer. */
function codeOf(answer: string): string | undefined {
  expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im);
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).code;
}

const head = (length: number) => `POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: ${length}\r\n\r\n`;

describe('requests that node would answer in its own way, or not at all', () => {
  test.each([
    ['HTTP/1.1 without a Host', 'POST /async-function/echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
    ['two Hosts', 'POST /async-function/echo HTTP/1.1\r\nHost: a\r\nhost: a\r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/1.0 with two Hosts', 'POST /async-function/echo HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a line of HTTP/0.9', 'POST /async-function/echo\r\n\r\n'],
    ['a version to come', 'POST /async-function/echo HTTP/2.0\r\nHost: a\r\n\r\n'],
    ['a path that is not there, without a Host', 'GET /nothing HTTP/1.1\r\n\r\n'],
  ])('%s is a problem', async (_, text) => {
    await using gateway = await startTestGateway();
    const answer = await exchange(gateway.port, text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(codeOf(answer)).toBe('malformed_request');
    expect(gateway.queue.accepted).toEqual([]);
  });

  test('CONNECT is told that this is not a proxy', async () => {
    await using gateway = await startTestGateway();
    await using client = await RawClient.connect(gateway.port);
    client.send('CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 10.0.0.1:22\r\n\r\n');
    const answer = await client.closed();
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(codeOf(answer)).toBe('method_not_allowed');
  });

  test('an upgrade is handled like any other request', async () => {
    await using gateway = await startTestGateway();
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
    expect(await exchange(gateway.port, post('/async-function/echo', upgrade))).toMatch(/^HTTP\/1\.1 202 /);
  });

  test('HTTP/1.0 without a Host is served', async () => {
    await using gateway = await startTestGateway();
    expect(await exchange(gateway.port, 'POST /async-function/echo HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 202 /);
  });
});

describe('bodies that do not fit beside the others', () => {
  const limited = (options: { graceMs?: number } = {}) => new BodyBudget({ limitBytes: 1_000, ...options });

  async function withBudget<T>(budget: BodyBudget, run: (gateway: TestGateway) => Promise<T>): Promise<T> {
    await using gateway = await startTestGateway({ bodyBudget: budget });
    return await run(gateway);
  }

  test('are 503 before the gateway asks for them, until there is room', async () => {
    const budget = limited();
    await withBudget(budget, async (gateway) => {
      await using first = await RawClient.connect(gateway.port);
      first.send(head(900));
      await eventually(() => budget.usedBytes === 900);
      const expecting = head(200).replace('Content', 'Expect: 100-continue\r\nContent');
      const answer = await exchange(gateway.port, expecting);
      expect(answer).toMatch(/^HTTP\/1\.1 503 /);
      expect(answer).toMatch(/^retry-after: [1-9]\d*\r$/im);
      expect(codeOf(answer)).toBe('overloaded');
      expect(await exchange(gateway.port, `${head(100)}${'x'.repeat(100)}`)).toMatch(/^HTTP\/1\.1 202 /);
      first.send('x'.repeat(900));
      await first.answer(/202 Accepted/);
      await eventually(() => budget.usedBytes === 0);
      expect(await exchange(gateway.port, `${head(1_000)}${'x'.repeat(1_000)}`)).toMatch(/^HTTP\/1\.1 202 /);
    });
  });

  test('in chunks are cut off when the room is used up', async () => {
    const budget = limited();
    await withBudget(budget, async (gateway) => {
      const chunked = 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n';
      await using client = await RawClient.connect(gateway.port);
      client.send(`${chunked}320\r\n${'x'.repeat(800)}\r\n`);
      await eventually(() => budget.usedBytes === 800);
      client.send(`12c\r\n${'x'.repeat(300)}\r\n`);
      expect(codeOf(await client.answer())).toBe('overloaded');
      await eventually(() => budget.usedBytes === 0);
      expect(gateway.queue.accepted).toEqual([]);
    });
  });

  test('include those that wait for the queue, even if their clients have gone', async () => {
    const budget = limited();
    await withBudget(budget, async (gateway) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let asked = false;
      gateway.queue.answer = async () => {
        asked = true;
        await released;
        return { kind: 'stored', sequence: 1, duplicate: false };
      };
      const client = await RawClient.connect(gateway.port);
      client.send(`${head(900)}${'x'.repeat(900)}`);
      await eventually(() => asked);
      await client[Symbol.asyncDispose]();
      expect(codeOf(await exchange(gateway.port, head(200)))).toBe('overloaded');
      release();
      await eventually(() => budget.usedBytes === 0);
    });
  });

  test('do not include those that were refused', async () => {
    const budget = limited();
    await withBudget(budget, async (gateway) => {
      const client = await RawClient.connect(gateway.port);
      client.send(`${head(900)}half`);
      await eventually(() => budget.usedBytes === 900);
      await client[Symbol.asyncDispose]();
      await eventually(() => budget.usedBytes === 0);
      gateway.queue.answer = () => Promise.reject(new Error('a bug'));
      expect(codeOf(await exchange(gateway.port, `${head(3)}abc`))).toBe('internal_error');
      await eventually(() => budget.usedBytes === 0);
    });
  });

  test('take the room of bodies that arrive too slowly', async () => {
    const budget = limited({ graceMs: 20 });
    await withBudget(budget, async (gateway) => {
      await using slow = await RawClient.connect(gateway.port);
      slow.send(`${head(1_000)}x`);
      await eventually(() => budget.usedBytes === 1_000);
      await eventually(async () => (await exchange(gateway.port, `${head(3)}abc`)).startsWith('HTTP/1.1 202 '));
      expect(codeOf(await slow.answer())).toBe('request_timeout');
      expect(gateway.queue.accepted.map(({ call }) => call.body.length)).toEqual([3]);
    });
  });

  test('are counted for operators as well', async () => {
    const budget = limited();
    await withBudget(budget, async (gateway) => {
      await using first = await RawClient.connect(gateway.port);
      first.send(head(900));
      await eventually(() => budget.usedBytes === 900);
      const answer = await exchange(
        gateway.port,
        `POST /system/dead-letters/replay HTTP/1.1\r\nHost: g\r\nContent-Length: 200\r\n\r\n`,
      );
      expect(codeOf(answer)).toBe('overloaded');
    });
  });
});

test('connections beyond the limit are dropped, and idle ones make room for the next', async () => {
  await using gateway = await startTestGateway({ maxConnections: 3 });
  const idle = await Promise.all([1, 2, 3].map(() => RawClient.connect(gateway.port)));
  for (const client of idle) {
    client.send(post('/async-function/echo'));
    await client.answer(/202 Accepted/);
  }
  await using dropped = await RawClient.connect(gateway.port);
  expect(await dropped.closed()).toBe('');
  await eventually(() => idle.every(({ ended }) => ended));
  const { statusCode, body } = await request(`${gateway.url}/async-function/echo`, { method: 'POST', body: 'hello' });
  await body.dump();
  expect(statusCode).toBe(202);
  expect(await gateway.registry.metrics()).toContain('gateway_connections_dropped_total 1');
  expect(gateway.logs.filter(({ level }) => level === 'warn')).toMatchObject([{ maxConnections: 3 }]);
});

test('a caller whose calls a slow broker does not confirm leaves room for those of others', async () => {
  const [eve, bob] = [testToken('eve', { scopes: ['invoke'] }), testToken('bob', { scopes: ['invoke'] })];
  const tokens = tokensOf([eve, bob]);
  await using gateway = await startTestGateway({ tokens: () => tokens });
  let stored = 0;
  gateway.queue.answer = ({ submitter }) =>
    submitter === 'bob'
      ? { kind: 'stored', sequence: 1, duplicate: false }
      : new Promise(() => {
          stored += 1;
        });
  const requests = post('/async-function/echo', `Authorization: ${eve.bearer}\r\n`).repeat(100);
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(gateway.port)));
  for (const client of clients) {
    client.send(requests);
  }
  await eventually(() => stored === 4_096);
  const refused = await exchange(gateway.port, post('/async-function/echo', `Authorization: ${eve.bearer}\r\n`));
  expect(refused).toMatch(/^HTTP\/1\.1 503 .*^retry-after: [1-9]/ims);
  expect(codeOf(refused)).toBe('overloaded');
  const answer = await exchange(gateway.port, post('/async-function/echo', `Authorization: ${bob.bearer}\r\n`));
  expect(answer).toMatch(/^HTTP\/1\.1 202 /);
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  expect(stored).toBe(4_096);
});
