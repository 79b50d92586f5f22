import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { identityOf, keyOf, type Outcome } from '@asyncfn/queue-core';
import {
  byteByByte,
  type CallbackReceiver,
  eventually,
  type RawAnswer,
  type RawServer,
  startCallbackReceiver,
  startRawServer,
  thenClose,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type LogLine, type SettlingBench, startBench } from './settling-bench.ts';

let server: NatsServer;
let fn: RawServer;
let inbox: CallbackReceiver;
let bench: SettlingBench;

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
  fn = await startRawServer('');
  inbox = await startCallbackReceiver();
  bench = await startBench({ natsUrl: server.url, functionUrl: fn.url });
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
  await inbox.close();
  await server.stop();
});

interface Ended {
  readonly id: string;
  readonly outcome: Outcome | undefined;
  readonly invocations: number;
  /** The attempt of the stored message; undefined if the call is not in its queue any more. */
  readonly retry: number | undefined;
  /** `X-Function-Status` and the other headers of the one callback. */
  readonly told: Record<string, unknown>;
  readonly body: string;
  readonly line: LogLine | undefined;
}

/** Runs a call once whose function gives this answer, and returns the result. */
async function callOf(
  answer: RawAnswer,
  { retries = 0, codes }: { retries?: number; codes?: number[] } = {},
): Promise<Ended> {
  fn.answer = answer;
  const call = await bench.put({ callbackUrl: inbox.url, maxRetries: retries });
  await bench.run(await bench.take(), { ...bench.target, retry: { ...bench.target.retry, codes } });
  const [callback] = inbox.byCallId(call.id);
  return {
    id: call.id,
    outcome: (await bench.store.findOutcome(keyOf(call)))?.outcome,
    invocations: fn.requests.filter(({ callId }) => callId === call.id).length,
    retry: (await bench.store.findQueued({ ...identityOf(call), ...bench.lane }))?.retry,
    told: callback?.headers ?? {},
    body: callback?.body.toString('latin1') ?? '',
    line: bench.lines.find(({ callId, attempt }) => callId === call.id && attempt === 1),
  };
}

/** Writes these bytes and breaks the connection once they have arrived. */
function breakAfter(bytes: string): RawAnswer {
  return ({ write, reset }) => {
    write(bytes);
    setTimeout(reset, 20);
  };
}

/** So that the next request goes over a fresh connection. */
async function closeAll(server: RawServer): Promise<void> {
  server.closeConnections();
  await eventually(() => server.open === 0);
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const large = (bytes: number) => `HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(bytes)}\r\nContent-Length: 2\r\n\r\nok`;

describe('an answer of a function', () => {
  test.each<[string, RawAnswer, number, Record<string, string>?]>([
    ['after an unsolicited 100', `HTTP/1.1 100 Continue\r\n\r\n${ok}`, 200],
    ['after 102 and 103', `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}`, 200],
    ['that is 204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n', 204],
    ['that is 204 with a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok', 204],
    ['that is 204 in chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 204],
    ['that is 304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 20000\r\n\r\n', 304],
    ['with a header of 17 KiB', large(17 * 1024), 200, { 'x-large': 'x'.repeat(17 * 1024) }],
    ['with a header of 63 KiB', large(63 * 1024), 200, { 'x-large': 'x'.repeat(63 * 1024) }],
    ['with two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok', 200],
    ['with a list of equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok', 200],
    [
      'with a folded header',
      'HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\nok',
      200,
      { 'x-a': 'one two three' },
    ],
    ['with bare line feeds', 'HTTP/1.1 200 OK\nX-A: one\nContent-Length: 2\n\nok', 200, { 'x-a': 'one' }],
    [
      'with control characters',
      'HTTP/1.1 200 OK\r\nX-A: a\x01b\x7fc\0d\re\r\nContent-Length: 2\r\n\r\nok',
      200,
      { 'x-a': 'a b c d e' },
    ],
    [
      'with a space before a colon',
      'HTTP/1.1 200 OK\r\nX-A : one\r\nContent-Length : 2\r\n\r\nok',
      200,
      { 'x-a': 'one' },
    ],
    [
      'with a length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      200,
    ],
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 200],
    ['of HTTP/1.0', thenClose('HTTP/1.0 200 OK\r\n\r\nok'), 200],
    ['that comes byte by byte', byteByByte(`HTTP/1.1 100 Continue\r\n\r\n${ok}`), 200],
  ])('%s has its status', async (_, answer, status, headers = {}) => {
    const { outcome, invocations, told, body, line } = await callOf(answer);
    expect(outcome).toMatchObject({ status: 'succeeded', functionStatus: status, attempts: 1 });
    expect(invocations).toBe(1);
    expect(told).toMatchObject({ 'x-function-status': String(status), ...headers });
    expect(body).toBe(status === 200 ? 'ok' : '');
    expect(line).toMatchObject({ msg: 'function invoked', status });
  });

  test.each<[string, RawAnswer]>([
    ['of another protocol', '220 ready\r\n'],
    ['of TLS', Buffer.from([21, 3, 3, 0, 2, 2, 70])],
    ['that ends within its headers', thenClose('HTTP/1.1 200 OK\r\nContent-')],
    ['that ends within its body', thenClose('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')],
    ['that breaks within its body', breakAfter('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')],
    ['in chunks that end early', thenClose('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal')],
    ['with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['with a line that is no header', 'HTTP/1.1 200 OK\r\nwhat\r\nContent-Length: 2\r\n\r\nok'],
    ['in an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['that is 101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'],
    ['that is interim alone', thenClose('HTTP/1.1 100 Continue\r\n\r\n')],
  ])('%s is a bad response: 502, with the reason in the log', async (_, answer) => {
    const { outcome, invocations, told, body, line } = await callOf(answer);
    expect(outcome).toMatchObject({
      status: 'failed',
      reason: 'retries_exhausted',
      functionStatus: 502,
      attempts: 1,
      headers: [],
    });
    expect(invocations).toBe(1);
    expect([told['x-function-status'], body]).toEqual(['502', '']);
    expect(line).toMatchObject({
      msg: 'function gave no answer',
      reason: 'bad_response',
      status: 502,
      err: { message: expect.stringMatching(/^.{10,120}$/) },
    });
  });

  test('that cannot be read is retried by the policy for 502', async () => {
    const retried = await callOf('220 ready\r\n', { retries: 10, codes: [502] });
    expect(retried).toMatchObject({ retry: 1, outcome: undefined });
    const final = await callOf('220 ready\r\n', { retries: 10, codes: [500, 503] });
    expect(final).toMatchObject({
      retry: undefined,
      outcome: { status: 'failed', reason: 'bad_response', attempts: 1 },
    });
    expect(await bench.deadLetters.find({ callId: final.id })).toMatchObject([
      { letter: { reason: 'bad_response', lastStatus: 502 } },
    ]);
  });

  test('with more headers than the limit is final', async () => {
    const { outcome, invocations, told, line } = await callOf(large(64 * 1024), { retries: 10 });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'response_too_large', functionStatus: 502, attempts: 1 });
    expect([invocations, told['x-function-status']]).toEqual([1, '502']);
    expect(line).toMatchObject({
      reason: 'response_too_large',
      status: 502,
      err: { message: 'the headers are larger than 65536 bytes' },
    });
  });

  test.each<[string, RawAnswer]>([
    ['closed', thenClose('')],
    ['broken', ({ reset }) => reset()],
  ])('without one byte (%s) is no answer: 503, unreachable', async (_, answer) => {
    await closeAll(fn);
    const { outcome, invocations, told, line } = await callOf(answer);
    expect(outcome).toMatchObject({ status: 'failed', reason: 'retries_exhausted', functionStatus: 503, attempts: 1 });
    expect([invocations, told['x-function-status']]).toEqual([1, '503']);
    expect(line).toMatchObject({ reason: 'unreachable', status: 503 });
  });
});

test.each([
  ['1', 60_000],
  ['600', 600_000],
  ['86400', 3_600_000],
])('Retry-After: %s of a function stores a retry that waits %i ms', async (retryAfter, retryInMs) => {
  for (const status of ['429 Too Many Requests', '503 Service Unavailable']) {
    const answer = `HTTP/1.1 ${status}\r\nRetry-After: ${retryAfter}\r\nContent-Length: 0\r\n\r\n`;
    const { retry, line } = await callOf(answer, { retries: 10 });
    expect([retry, line?.['retryInMs']]).toEqual([1, retryInMs]);
  }
});

test('a redirect is a result that is warned about once, with its Location but not its secrets', async () => {
  const location = 'Location: https://user:s3cr3t@fn.test/hash/?s3cr3t';
  const answer = `HTTP/1.1 308 Permanent Redirect\r\n${location}\r\nContent-Length: 0\r\n\r\n`;
  const before = bench.lines.length;
  for (let count = 0; count < 3; count++) {
    expect(await callOf(answer)).toMatchObject({
      outcome: { status: 'succeeded', functionStatus: 308 },
      invocations: 1,
    });
  }
  const lines = bench.lines.slice(before);
  const warnings = lines.filter(({ level }) => level !== 'info');
  expect(warnings).toMatchObject([
    { level: 'warn', function: 'echo', status: 308, location: 'https://fn.test/hash/', url: `${fn.url}/` },
  ]);
  expect(JSON.stringify(lines)).not.toContain('s3cr3t');
});

describe('an answer with more headers than a message of the broker can hold', () => {
  // Each takes more bytes in a record than on the wire.
  const many = `HTTP/1.1 200 OK\r\n${`X-Small: ${'"'.repeat(50)}\r\n`.repeat(900)}X-Last: 1\r\nContent-Length: 2\r\n\r\nok`;

  test('ends its call once, and is delivered whole', async () => {
    const { outcome, invocations, told, line } = await callOf(many);
    expect(outcome).toMatchObject({ status: 'succeeded', functionStatus: 200, attempts: 1 });
    expect(outcome?.headers.length).toBeGreaterThan(400);
    expect([invocations, told['x-last']]).toEqual([1, '1']);
    expect(line).toMatchObject({ msg: 'function invoked', status: 200 });
    expect(bench.logged).toContain('headers of a response are too large to be stored and are left out');
  });

  test('ends its call once as well if its callback must be stored', async () => {
    await using receiver = await startRawServer('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
    fn.answer = many;
    const call = await bench.put({ callbackUrl: receiver.url });
    const key = keyOf(call);
    await bench.run(await bench.take());
    expect((await bench.store.findOutcome(key))?.outcome).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(await bench.store.findCallbackState(key)).toMatchObject({ status: 'pending', attempts: 1 });
    expect((await bench.callbackStore.find(key))?.headers.length).toBeGreaterThan(400);
    expect(await bench.store.findQueued({ ...identityOf(call), ...bench.lane })).toBeUndefined();
    expect(fn.requests.filter(({ callId }) => callId === call.id)).toHaveLength(1);
  });
});

describe('an answer of a receiver', () => {
  let receiver: RawServer;
  beforeAll(async () => {
    receiver = await startRawServer('');
  });
  afterAll(() => receiver[Symbol.asyncDispose]());

  /** Runs a call whose receiver gives this answer to the first delivery. */
  async function deliver(answer: RawAnswer) {
    await closeAll(receiver);
    fn.answer = ok;
    receiver.answer = answer;
    const call = await bench.put({ callbackUrl: receiver.url });
    await bench.run(await bench.take());
    return {
      state: await bench.store.findCallbackState(keyOf(call)),
      deliveries: receiver.requests.filter(({ callId }) => callId === call.id).length,
      line: bench.lines.findLast(({ callId, msg }) => callId === call.id && msg.startsWith('callback ')),
    };
  }

  const followers: [string, (statusLine: string) => RawAnswer][] = [
    ['a body that ends early', (line) => thenClose(`${line}Content-Length: 2\r\n\r\n`)],
    ['a body that breaks', (line) => breakAfter(`${line}Content-Length: 10\r\n\r\nhalf`)],
    ['a body that never comes', (line) => `${line}Content-Length: 2\r\n\r\n`],
    ['a chunk that ends early', (line) => thenClose(`${line}Transfer-Encoding: chunked\r\n\r\n5\r\nhal`)],
    ['a chunk that is none', (line) => `${line}Transfer-Encoding: chunked\r\n\r\nwhat\r\n`],
    ['an endless body', (line) => endless(`${line}\r\n`)],
    ['two lengths', (line) => `${line}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`],
    ['headers that end early', (line) => thenClose(`${line}X-A: 1`)],
    ['headers that break', (line) => breakAfter(`${line}X-A: 1`)],
    ['headers that are none', (line) => `${line}what\r\n\r\n`],
    ['headers beyond all bounds', (line) => endless(`${line}X-A: `)],
    ['nothing else', (line) => thenClose(line)],
  ];

  test.each([
    ['200 OK', 'delivered'],
    ['204 No Content', 'delivered'],
    ['410 Gone', 'failed'],
    ['500 Oh', 'pending'],
    ['302 Found', 'pending'],
  ])('that begins with %s counts as %s, whatever follows', async (statusLine, expected) => {
    for (const [what, follow] of followers) {
      const { state, deliveries, line } = await deliver(follow(`HTTP/1.1 ${statusLine}\r\n`));
      expect([what, state?.status, state?.attempts, deliveries]).toEqual([what, expected, 1, 1]);
      expect(line).toMatchObject({ status: Number(statusLine.slice(0, 3)) });
    }
  });

  test.each<[string, RawAnswer]>([
    ['an unsolicited 100', `HTTP/1.1 100 Continue\r\n\r\n${ok}`],
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n'],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ])('with %s is delivered', async (_, answer) => {
    expect(await deliver(answer)).toMatchObject({ state: { status: 'delivered', attempts: 1 }, deliveries: 1 });
  });

  test.each<[string, RawAnswer, string]>([
    ['no status line', '220 ready\r\n', 'bad_response'],
    ['half a status line', thenClose('HTTP/1.1 20'), 'bad_response'],
    ['nothing but an interim response', thenClose('HTTP/1.1 102 Processing\r\n\r\n'), 'bad_response'],
    ['not one byte', thenClose(''), 'unreachable'],
  ])('with %s is tried again', async (_, answer, reason) => {
    const { state, deliveries, line } = await deliver(answer);
    expect([state, deliveries]).toMatchObject([{ status: 'pending', attempts: 1 }, 1]);
    expect(line).toMatchObject({ msg: 'callback not delivered', reason, err: { message: expect.any(String) } });
  });
});

/** Writes these bytes, and further ones for as long as the connection lasts. */
function endless(bytes: string): RawAnswer {
  return async ({ write, signal }) => {
    write(bytes);
    while (!signal.aborted) {
      write('x'.repeat(10_000));
      await new Promise(setImmediate);
    }
  };
}

describe('connections that the other side closes when they are used again', () => {
  const onceEach: RawAnswer = (connection, { nth }) => (nth === 1 ? connection.write(ok) : connection.end());

  test('fail no attempt at a function, and no delivery of a callback', async () => {
    await using receiver = await startRawServer(onceEach);
    await closeAll(fn);
    fn.answer = onceEach;
    for (let count = 0; count < 6; count++) {
      const key = keyOf(await bench.put({ callbackUrl: receiver.url, maxRetries: 0 }));
      await bench.run(await bench.take());
      expect((await bench.store.findOutcome(key))?.outcome).toMatchObject({ functionStatus: 200, attempts: 1 });
      expect(await bench.store.findCallbackState(key)).toMatchObject({ status: 'delivered', attempts: 1 });
    }
    const twice = [fn, receiver].map(({ requests }) => requests.filter(({ nth }) => nth > 1).length);
    expect(Math.min(...twice)).toBeGreaterThan(0);
    const resent = bench.lines.filter((line) => line['resent'] === true).map(({ msg }) => msg);
    expect(new Set(resent)).toEqual(new Set(['function invoked', 'callback delivered']));
  });

  test('cost a request that is sent again under the same number, and a log line', async () => {
    await closeAll(fn);
    await callOf(onceEach);
    const { id, outcome, invocations, line } = await callOf(onceEach);
    expect(outcome).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(invocations).toBe(2);
    const sent = fn.requests.filter(({ callId }) => callId === id);
    expect(sent.map(({ head }) => /^x-retry: *(\d+)/im.exec(head)?.[1])).toEqual(['0', '0']);
    expect(line).toMatchObject({ msg: 'function invoked', resent: true });
  });
});
