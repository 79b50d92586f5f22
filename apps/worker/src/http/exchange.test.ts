import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  eventually,
  gate,
  type RawAnswer,
  type RequestHandler,
  sleep,
  startRawServer,
  startTestFunction,
  status,
  thenClose,
} from '@asyncfn/testkit';
import { Agent } from 'undici';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ByteBudget } from '../memory/byte-budget.ts';
import { exchange, type HttpOutcome, type HttpRequest } from './exchange.ts';
import { HttpAgent } from './http-agent.ts';

const dayMs = 86_400_000;

const maxHeaderBytes = 4_096;
/** For exchanges that come to something before it: a busy machine may take half a second for that. */
const deadlineMs = 1_000;
const agent = own(new HttpAgent({ maxHeaderBytes }), afterAll);

/** Ends the connections of an agent after the test. */
function own<A extends HttpAgent | Agent>(it: A, whenDone: (end: () => Promise<void>) => void = onTestFinished): A {
  whenDone(() => it.destroy());
  return it;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function post(origin: string, request: Partial<HttpRequest> = {}, from = agent): Promise<HttpOutcome> {
  const body = Buffer.from('body');
  return exchange(from, { origin, path: '/', headers: [], body, timeoutMs: 0, maxResponseBytes: 1_000, ...request });
}

describe('an answer', () => {
  test('has its status, its headers in order and case, and its bytes', async () => {
    await using fn = await startTestFunction({
      handler: (_, response) => {
        response.writeHead(418, ['X-B', '1', 'x-a', 'caf\xe9', 'X-B', '2']).end(Buffer.from([0, 255, 10]));
      },
    });
    const outcome = await post(fn.url, { path: '/a%2Fb?c=%20', headers: [['X-Sent', '\xff']] });
    expect(outcome).toMatchObject({ kind: 'answer', status: 418, body: Buffer.from([0, 255, 10]) });
    const own = outcome.kind === 'answer' ? outcome.headers.filter(([name]) => /^x-/i.test(name)) : [];
    expect(own).toEqual([
      ['X-B', '1'],
      ['x-a', 'caf\xe9'],
      ['X-B', '2'],
    ]);
    expect(fn.invocations[0]).toMatchObject({ method: 'POST', url: '/a%2Fb?c=%20', headers: { 'x-sent': '\xff' } });
  });

  test('may be a redirect, which is not followed', async () => {
    await using fn = await startTestFunction({ handler: status(307, { headers: { Location: '/elsewhere' } }) });
    expect(await post(fn.url)).toMatchObject({ kind: 'answer', status: 307 });
    expect(fn.invocations).toHaveLength(1);
  });

  test('is the final one, not the interim answers before it', async () => {
    await using fn = await startTestFunction({
      handler: (_, response) => {
        response.writeProcessing();
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        response.end('done');
      },
    });
    expect(await post(fn.url)).toMatchObject({ kind: 'answer', status: 200, body: Buffer.from('done') });
  });

  test('comes before the deadline, even before one that is longer than a timer can be', async () => {
    await using fn = await startTestFunction({ handler: sleep(50) });
    for (const timeoutMs of [0, 5_000, 60 * dayMs]) {
      expect(await post(fn.url, { timeoutMs })).toMatchObject({ kind: 'answer', status: 200 });
    }
  });
});

describe('a connection', () => {
  test('carries every byte that a header may have, in both directions', async () => {
    const value = `~${Array.from({ length: 128 }, (_, at) => String.fromCharCode(at + 128)).join('')}~`;
    await using server = await startRawServer(`HTTP/1.1 200 OK\r\nX-Bytes: ${value}\r\nContent-Length: 0\r\n\r\n`);
    const outcome = await post(server.url, { headers: [['X-Bytes', value]] });
    expect(outcome).toMatchObject({
      kind: 'answer',
      headers: [
        ['X-Bytes', value],
        ['Content-Length', '0'],
      ],
    });
    expect(server.requests[0]?.head).toContain(`X-Bytes: ${value}\r\n`);
  });

  test('is used again', async () => {
    await using server = await startRawServer(ok);
    for (let sent = 0; sent < 20; sent++) {
      await post(server.url);
    }
    // The pool uses another one if the next exchange begins at the moment in which the last one ends.
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});

describe('no answer', () => {
  test('if no server listens, or the connection breaks before its first byte', async () => {
    const gone = await startTestFunction();
    const goneUrl = gone.url;
    await gone.close();
    expect(await post(goneUrl)).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    for (const answer of [thenClose(''), (({ reset }) => reset()) satisfies RawAnswer]) {
      await using breaking = await startRawServer(answer);
      const code = expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/);
      expect(await post(breaking.url)).toMatchObject({ kind: 'unreachable', code });
      expect(breaking.requests).toHaveLength(1);
    }
  });

  test('to a request that cannot be sent at all', async () => {
    await using fn = await startTestFunction();
    expect(await post(fn.url, { headers: [['bad name', 'x']] })).toMatchObject({ kind: 'unreachable' });
  });

  test('by the deadline ends the request, so that the other side can notice', async () => {
    await using fn = await startTestFunction(gate());
    expect(await post(fn.url, { timeoutMs: deadlineMs })).toEqual({ kind: 'deadline' });
    await eventually(() => fn.invocations[0]?.aborted === true);
  });

  test('that is complete by the deadline ends the request too', async () => {
    await using fn = await startTestFunction({ handler: (_, response) => void response.write('half') });
    expect(await post(fn.url, { timeoutMs: deadlineMs })).toEqual({ kind: 'deadline' });
    await eventually(() => fn.invocations[0]?.aborted === true);
  });

  test('by a deadline that comes before there is a connection: the request is never sent', async () => {
    const narrow = own(new HttpAgent({ maxHeaderBytes, pool: { connections: 1 } }));
    const busy = gate();
    await using fn = await startTestFunction(busy);
    const first = post(fn.url, {}, narrow);
    await fn.waitForInvocations(1);
    expect(await post(fn.url, { timeoutMs: 50 }, narrow)).toEqual({ kind: 'deadline' });
    busy.open();
    expect(await first).toMatchObject({ kind: 'answer' });
    await post(fn.url, { path: '/last' }, narrow);
    expect(fn.invocations.map(({ url }) => url)).toEqual(['/', '/last']);
  });

  test('is waited for once the signal has aborted', async () => {
    await using fn = await startTestFunction(gate());
    const giveUp = new AbortController();
    const outcome = post(fn.url, { signal: giveUp.signal });
    await fn.waitForInvocations(1);
    giveUp.abort();
    expect(await outcome).toEqual({ kind: 'abandoned' });
    expect(await post(fn.url, { signal: giveUp.signal })).toEqual({ kind: 'abandoned' });
    await eventually(() => fn.invocations[0]?.aborted === true);
    expect(fn.invocations).toHaveLength(1);
  });
});

test("without a deadline a function may be silent for long: undici's own limits do not count", async () => {
  // However low they are set, they count whole seconds.
  const pauseMs = 1_300;
  const handler: RequestHandler = async (_, response) => {
    await delay(pauseMs);
    response.write('first ');
    await delay(pauseMs);
    response.end('last');
  };
  await using server = await startTestFunction({ handler });
  const pool = { headersTimeout: 50, bodyTimeout: 50 };
  const undici = own(new Agent(pool));
  await expect(undici.request({ origin: server.url, path: '/', method: 'POST' })).rejects.toThrow('Headers Timeout');
  const outcome = await post(server.url, {}, own(new HttpAgent({ maxHeaderBytes, pool })));
  expect(outcome).toMatchObject({ kind: 'answer', body: Buffer.from('first last') });
});

describe('a response', () => {
  test.each([
    ['says so', { 'Content-Length': '1001' }],
    ['does not say so', { 'Transfer-Encoding': 'chunked' }],
  ])('of one byte too many that %s is read no further', async (_, headers) => {
    await using fn = await startTestFunction({
      handler: (_request, response) => void response.writeHead(200, headers).write(Buffer.alloc(1_001)),
    });
    expect(await post(fn.url)).toMatchObject({
      kind: 'too_large',
      error: { message: 'the body is larger than 1000 bytes' },
    });
    await eventually(() => fn.inFlight === 0);
  });

  test('of exactly as many bytes as the limit is accepted', async () => {
    await using fn = await startTestFunction({ handler: status(200, { body: Buffer.alloc(1_000, 1) }) });
    expect(await post(fn.url)).toMatchObject({ kind: 'answer', body: Buffer.alloc(1_000, 1) });
  });

  test('without an end is read no further', async () => {
    await using fn = await startTestFunction({
      handler: async ({ signal }, response) => {
        while (!signal.aborted) {
          response.write(Buffer.alloc(10_000));
          await new Promise(setImmediate);
        }
      },
    });
    expect(await post(fn.url)).toMatchObject({
      kind: 'too_large',
      error: { message: 'the body is larger than 1000 bytes' },
    });
  });
});

describe('a response that is not HTTP', () => {
  const head = 'HTTP/1.1 200 OK\r\n';

  test.each<[string, RawAnswer]>([
    ['another protocol', '220 ready\r\n'],
    ['an alert of TLS', Buffer.from([21, 3, 3, 0, 2, 2, 70])],
    ['a frame of HTTP/2', Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5])],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a status line without a status', 'HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
    ['a status line that ends early', thenClose('HTTP/1.1 20')],
    ['a head that ends early', thenClose(`${head}Content-Length: 2\r\n`)],
    [
      'a head that breaks',
      ({ write, reset }) => {
        write(`${head}Content-Length: 2\r\n`);
        setTimeout(reset, 20);
      },
    ],
    ['nothing but an interim response', thenClose('HTTP/1.1 100 Continue\r\n\r\n')],
    ['101, which was not asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`],
    ['a list of lengths', `${head}Content-Length: 2, 3\r\n\r\nok`],
    ['a negative length', `${head}Content-Length: -2\r\n\r\nok`],
    ['a hexadecimal length', `${head}Content-Length: 0x2\r\n\r\nok`],
    ['an unknown transfer coding', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks twice over', `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a line without a colon', `${head}Content-Length: 2\r\nwhat\r\n\r\nok`],
    ['a name with a space', `${head}X A: 1\r\nContent-Length: 2\r\n\r\nok`],
    ['a name with a control character', `${head}X\x01A: 1\r\nContent-Length: 2\r\n\r\nok`],
    ['no name', `${head}: 1\r\nContent-Length: 2\r\n\r\nok`],
    ['space before the first header', `${head} X: 1\r\nContent-Length: 2\r\n\r\nok`],
    ['a body that ends early', thenClose(`${head}Content-Length: 10\r\n\r\nhalf`)],
    ['a chunk that ends early', thenClose(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhal`)],
    ['a chunk without a size', `${head}Transfer-Encoding: chunked\r\n\r\nwhat\r\n`],
    ['a chunk with a bare line feed', `${head}Transfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n`],
  ])('but %s is told apart from no answer, and its reason quotes nothing', async (_, answer) => {
    await using server = await startRawServer(answer);
    const outcome = await post(server.url);
    expect(outcome).toMatchObject({ kind: 'bad_response', error: { message: expect.stringMatching(/^.{10,120}$/) } });
    expect(String('error' in outcome && outcome.error.message)).not.toMatch(/what|gzip|0x2|X A/);
    expect(server.requests).toHaveLength(1);
    await eventually(() => server.open === 0);
  });

  test('but a greeting that comes before the request is recognised as well', async () => {
    const greeter = createServer((socket) => void socket.on('error', () => {}).write('220 ready\r\n'));
    await once(greeter.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void greeter.close());
    const { port } = greeter.address() as AddressInfo;
    expect(await post(`http://127.0.0.1:${port}`)).toMatchObject({ kind: 'bad_response' });
  });

  test('but with headers beyond the limit is too large, in however many pieces they come', async () => {
    const answers = [
      `${head}X: ${'x'.repeat(maxHeaderBytes)}\r\nContent-Length: 0\r\n\r\n`,
      `${head}${'X: 1\r\n'.repeat(maxHeaderBytes)}`,
      `HTTP/1.1 200 ${'x'.repeat(maxHeaderBytes)}`,
    ];
    for (const answer of answers) {
      await using server = await startRawServer(answer);
      expect(await post(server.url)).toMatchObject({
        kind: 'too_large',
        error: { message: 'the headers are larger than 4096 bytes' },
      });
      await eventually(() => server.open === 0);
    }
  });

  test('but with trailers beyond the limit is too large, and with trailers below it is not', async () => {
    const withTrailer = (bytes: number) =>
      `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`;
    await using large = await startRawServer(withTrailer(maxHeaderBytes));
    expect(await post(large.url)).toMatchObject({
      kind: 'too_large',
      error: { message: 'the trailers are larger than 4096 bytes' },
    });
    await using small = await startRawServer(withTrailer(1_000));
    expect(await post(small.url)).toMatchObject({ kind: 'answer', status: 200 });
  });

  test('but with many interim responses does not exceed the limit of headers', async () => {
    const interim = `HTTP/1.1 102 Processing\r\nX: ${'x'.repeat(1_000)}\r\n\r\n`;
    await using server = await startRawServer(interim.repeat(20) + ok);
    expect(await post(server.url)).toMatchObject({ kind: 'answer', status: 200 });
  });
});

describe('the status alone', () => {
  test.each<[string, RawAnswer, number]>([
    ['a connection that is closed before the headers end', thenClose('HTTP/1.1 200 OK\r\nX-A: 1\r\n'), 200],
    ['headers that cannot be read', 'HTTP/1.1 410 Gone\r\nwhat\r\n\r\n', 410],
    ['headers beyond the limit', `HTTP/1.1 500 No\r\nX: ${'x'.repeat(maxHeaderBytes)}`, 500],
    ['two lengths', 'HTTP/1.1 201 Created\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', 201],
    ['a body that ends early', thenClose('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'), 200],
    [
      'a body that breaks',
      ({ write, reset }) => {
        write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
        setTimeout(reset, 20);
      },
      200,
    ],
    ['a body that does not come', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', 200],
    ['a chunk that ends early', thenClose('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal'), 200],
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n', 204],
  ])('counts, whatever follows: %s', async (_, answer, expected) => {
    await using server = await startRawServer(answer);
    expect(await post(server.url, { statusOnly: true })).toMatchObject({ kind: 'answer', status: expected });
    expect(server.requests).toHaveLength(1);
  });

  test('counts before a body without an end, which is read no further than the limit', async () => {
    await using fn = await startTestFunction({
      handler: async ({ signal }, response) => {
        while (!signal.aborted) {
          response.write(Buffer.alloc(10_000));
          await new Promise(setImmediate);
        }
      },
    });
    expect(await post(fn.url, { statusOnly: true })).toMatchObject({
      kind: 'answer',
      status: 200,
      body: Buffer.alloc(0),
    });
    await eventually(() => fn.inFlight === 0);
  });

  test('counts at the deadline if it has come by then', async () => {
    await using server = await startRawServer('HTTP/1.1 200 OK\r\nX-A: 1\r\n');
    expect(await post(server.url, { statusOnly: true, timeoutMs: deadlineMs })).toMatchObject({
      kind: 'answer',
      status: 200,
    });
    server.answer = 'HTTP/1.1 200 ';
    expect(await post(server.url, { statusOnly: true, timeoutMs: deadlineMs })).toEqual({ kind: 'deadline' });
  });

  test('leaves a connection that can be used again', async () => {
    await using server = await startRawServer(ok);
    for (let sent = 0; sent < 20; sent++) {
      await post(server.url, { statusOnly: true });
    }
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});

describe('a connection that was used before and is closed without a byte', () => {
  /** Answers the first request of each connection, and then does as it is told. */
  function firstThen(others: RawAnswer): RawAnswer {
    return (connection, request) =>
      request.nth === 1
        ? connection.write(ok)
        : typeof others === 'function'
          ? others(connection, request)
          : connection.write(others);
  }

  /** An agent whose one connection has been used. */
  async function used(url: string, staleWithinMs?: number): Promise<HttpAgent> {
    const from = own(new HttpAgent({ maxHeaderBytes, staleWithinMs, pool: { connections: 1 } }));
    expect(await post(url, {}, from)).toMatchObject({ kind: 'answer' });
    return from;
  }

  test.each<[string, RawAnswer]>([
    ['closed', thenClose('')],
    ['broken', ({ reset }) => reset()],
  ])('%s: the request is sent once more, over a fresh one', async (_, end) => {
    await using server = await startRawServer(firstThen(end));
    const from = await used(server.url);
    expect(await post(server.url, {}, from)).toMatchObject({ kind: 'answer', status: 200, resent: true });
    expect(server.requests.map(({ connection, nth }) => [connection, nth])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
    await eventually(() => server.open === 0);
  });

  test('while it was idle costs nothing', async () => {
    await using server = await startRawServer(ok);
    const from = await used(server.url);
    server.closeConnections();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => post(server.url, {}, from)));
    expect(outcomes.filter(({ kind }) => kind !== 'answer')).toEqual([]);
  });

  test('is not tried a third time', async () => {
    await using server = await startRawServer((connection, { connection: number, nth }) =>
      number === 1 && nth === 1 ? connection.write(ok) : connection.end(),
    );
    const from = await used(server.url);
    expect(await post(server.url, {}, from)).toMatchObject({ kind: 'unreachable', resent: true });
    expect(server.requests).toHaveLength(3);
  });

  test('but with one byte is a bad response', async () => {
    await using server = await startRawServer(firstThen(thenClose('H')));
    const from = await used(server.url);
    expect(await post(server.url, {}, from)).toMatchObject({ kind: 'bad_response' });
    expect(server.requests).toHaveLength(2);
  });

  test('but a while after the request was sent is left alone: a slow function may be at work', async () => {
    await using server = await startRawServer(firstThen(({ end }) => void setTimeout(end, 50)));
    const from = await used(server.url, 30);
    expect(await post(server.url, {}, from)).toMatchObject({ kind: 'unreachable' });
    expect(server.requests).toHaveLength(2);
  });

  test.each(['deadline', 'abandoned'] as const)('but after the end (%s) is left alone', async (kind) => {
    await using server = await startRawServer(firstThen(() => {}));
    const from = await used(server.url);
    const giveUp = new AbortController();
    const outcome = post(server.url, { timeoutMs: kind === 'deadline' ? deadlineMs : 0, signal: giveUp.signal }, from);
    await server.waitForRequests(2);
    if (kind === 'abandoned') {
      giveUp.abort();
    }
    expect(await outcome).toEqual({ kind });
    await eventually(() => server.open === 0);
    expect(server.requests).toHaveLength(2);
  });

  test('by ourselves is left alone', async () => {
    await using server = await startRawServer(firstThen(() => {}));
    const from = await used(server.url);
    const outcome = post(server.url, {}, from);
    await server.waitForRequests(2);
    await from.destroy();
    expect(await outcome).toMatchObject({ kind: 'unreachable' });
    expect(server.requests).toHaveLength(2);
  });

  test('has the deadline of the whole exchange', async () => {
    await using server = await startRawServer((connection, { connection: number, nth }) => {
      if (number === 1) {
        const reply = nth === 1 ? connection.write : connection.end;
        reply(nth === 1 ? ok : '');
      }
    });
    const from = await used(server.url);
    expect(await post(server.url, { timeoutMs: deadlineMs }, from)).toMatchObject({ kind: 'deadline', resent: true });
    await eventually(() => server.open === 0);
  });
});

describe('a response without room in the budget', () => {
  const size = 256 * 1024;
  const whole = Buffer.alloc(size, 'x');
  const inOne: RequestHandler = (_, response) => void response.end(whole);
  const inPieces: RequestHandler = (_, response) => {
    response.write(whole.subarray(0, size / 2));
    response.end(whole.subarray(size / 2));
  };

  /** A budget that another owner has used up. */
  function fullBudget() {
    const budget = new ByteBudget(size);
    const other = budget.open('other');
    other.reserve(size);
    return { budget, other };
  }

  test.each([
    ['with its length announced', inOne],
    ['in pieces', inPieces],
  ])('is read as soon as there is, %s, and its deadline does not count that time', async (_, handler) => {
    await using fn = await startTestFunction({ handler });
    const { budget, other } = fullBudget();
    const room = budget.open('mine');
    let outcome: HttpOutcome | undefined;
    const request = { timeoutMs: deadlineMs, maxResponseBytes: 2 * size, room };
    const exchanged = post(fn.url, request).then((it) => {
      outcome = it;
    });
    await eventually(() => budget.waiting === 1);
    await delay(deadlineMs + 200);
    expect(outcome).toBeUndefined();
    other.release();
    await exchanged;
    expect(outcome?.kind === 'answer' && whole.equals(outcome.body)).toBe(true);
    expect(room.bytes).toBe(size);
    room.release();
    expect(budget.usedBytes).toBe(0);
  });

  test('has its deadline again once there is room', async () => {
    await using fn = await startTestFunction({ handler: (_, response) => void response.write(whole) });
    const { budget, other } = fullBudget();
    const exchanged = post(fn.url, { timeoutMs: deadlineMs, maxResponseBytes: 2 * size, room: budget.open('mine') });
    await eventually(() => budget.waiting === 1);
    other.release();
    expect(await exchanged).toMatchObject({ kind: 'deadline' });
    expect(budget.usedBytes).toBe(0);
  });

  test('waits no longer when it is given up', async () => {
    await using fn = await startTestFunction({ handler: inOne });
    const { budget } = fullBudget();
    const giveUp = new AbortController();
    const room = budget.open('mine');
    const exchanged = post(fn.url, { maxResponseBytes: 2 * size, room, signal: giveUp.signal });
    await eventually(() => budget.waiting === 1);
    giveUp.abort();
    expect(await exchanged).toMatchObject({ kind: 'abandoned' });
    expect([budget.waiting, budget.usedBytes]).toEqual([0, size]);
  });

  test('does not keep a small one waiting', async () => {
    await using fn = await startTestFunction({ handler: (_, response) => void response.end('small') });
    const { budget } = fullBudget();
    expect(await post(fn.url, { room: budget.open('mine') })).toMatchObject({ body: Buffer.from('small') });
  });
});
