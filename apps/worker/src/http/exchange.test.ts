import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, gate, type RequestHandler, sleep, startTestFunction, status } from '@asyncfn/testkit';
import { Agent } from 'undici';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { exchange, type HttpOutcome, type HttpRequest } from './exchange.ts';

const dayMs = 86_400_000;

const agent = own(new Agent(), afterAll);

/** Ends the connections of an agent when they are needed no more. */
function own(it: Agent, whenDone: (end: () => Promise<void>) => void = onTestFinished): Agent {
  whenDone(() => it.destroy());
  return it;
}

function post(origin: string, request: Partial<HttpRequest> = {}, from = agent): Promise<HttpOutcome> {
  const body = Buffer.from('body');
  return exchange(from, { origin, path: '/', headers: [], body, timeoutMs: 0, maxResponseBytes: 1_000, ...request });
}

interface RawServer extends AsyncDisposable {
  readonly url: string;
  /** All that has come in, latin1. */
  readonly received: () => string;
  readonly connections: () => number;
}

/** Answers each connection's first bytes with what `answer` writes, byte for byte. */
async function startRawServer(answer: (socket: Socket) => void): Promise<RawServer> {
  let received = '';
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('body')) {
        answer(socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
      await once(server, 'close');
    },
  };
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

  test('may be a redirect, which nobody follows', async () => {
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

  test('comes before the deadline, also before one that is longer than a timer can be', async () => {
    await using fn = await startTestFunction({ handler: sleep(50) });
    for (const timeoutMs of [0, 5_000, 60 * dayMs]) {
      expect(await post(fn.url, { timeoutMs })).toMatchObject({ kind: 'answer', status: 200 });
    }
  });
});

describe('a connection', () => {
  test('carries every byte that a header may have, both ways', async () => {
    const value = `~${Array.from({ length: 128 }, (_, at) => String.fromCharCode(at + 128)).join('')}~`;
    await using server = await startRawServer((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nX-Bytes: ${value}\r\nContent-Length: 0\r\n\r\n`, 'latin1'),
    );
    const outcome = await post(server.url, { headers: [['X-Bytes', value]] });
    expect(outcome).toMatchObject({
      kind: 'answer',
      headers: [
        ['X-Bytes', value],
        ['Content-Length', '0'],
      ],
    });
    expect(server.received()).toContain(`X-Bytes: ${value}\r\n`);
  });

  test('is used again', async () => {
    await using server = await startRawServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    for (let sent = 0; sent < 20; sent++) {
      await post(server.url);
    }
    // The pool takes another one where the next exchange begins in the moment in which the last one ends.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });
});

describe('no answer', () => {
  test('where nobody listens, or the connection breaks halfway', async () => {
    const gone = await startTestFunction();
    const goneUrl = gone.url;
    await gone.close();
    expect(await post(goneUrl)).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    await using breaking = await startTestFunction({
      handler: (_, response) => {
        response.writeHead(200, { 'Content-Length': 10 });
        response.write('half');
        response.destroy();
      },
    });
    expect(await post(breaking.url)).toMatchObject({ kind: 'unreachable' });
  });

  test('to a request that cannot be sent at all', async () => {
    await using fn = await startTestFunction();
    expect(await post(fn.url, { headers: [['bad name', 'x']] })).toMatchObject({ kind: 'unreachable' });
  });

  test('from somebody who does not speak HTTP', async () => {
    await using server = await startRawServer((socket) => socket.end('220 ready\r\n'));
    expect(await post(server.url)).toMatchObject({ kind: 'unreachable', code: 'HTTPParserError' });
  });

  test('by the deadline ends the request, so that the other side can notice', async () => {
    await using fn = await startTestFunction(gate());
    expect(await post(fn.url, { timeoutMs: 50 })).toEqual({ kind: 'deadline' });
    await eventually(() => fn.invocations[0]?.aborted === true);
  });

  test('that is whole by the deadline ends the request too', async () => {
    await using fn = await startTestFunction({ handler: (_, response) => void response.write('half') });
    expect(await post(fn.url, { timeoutMs: 200 })).toEqual({ kind: 'deadline' });
    await eventually(() => fn.invocations[0]?.aborted === true);
  });

  test('by a deadline that comes while there is no connection is never sent for', async () => {
    const narrow = own(new Agent({ connections: 1 }));
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

  test('that anybody waits for once the signal has aborted', async () => {
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

test("without a deadline nothing is in the way of a function that is silent for long: undici's own limits do not count", async () => {
  // However low they are set, they only count seconds.
  const pauseMs = 1_300;
  const handler: RequestHandler = async (_, response) => {
    await delay(pauseMs);
    response.write('first ');
    await delay(pauseMs);
    response.end('last');
  };
  await using server = await startTestFunction({ handler });
  const impatient = own(new Agent({ headersTimeout: 50, bodyTimeout: 50 }));
  await expect(impatient.request({ origin: server.url, path: '/', method: 'POST' })).rejects.toThrow('Headers Timeout');
  const outcome = await post(server.url, {}, impatient);
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
    expect(await post(fn.url)).toEqual({ kind: 'too_large', status: 200 });
    await eventually(() => fn.inFlight === 0);
  });

  test('of just as many bytes as are taken is taken', async () => {
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
    expect(await post(fn.url)).toEqual({ kind: 'too_large', status: 200 });
  });
});
