import { type RecordedRequest, startCallbackReceiver } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { AsyncfnClient, ProblemError, UnexpectedAnswerError, UnreachableError } from '../src/index.ts';

type Answer = 'break' | 'hang' | { status: number; headers?: Record<string, string>; body?: unknown };

const accepted: Answer = { status: 202, body: { callId: 'call-1', function: 'hash', status: 'queued' } };
const quick = { minWaitMs: 1, maxWaitMs: 2 };

/** A server that gives these answers, and then that of a gateway that has accepted a call. */
async function startGateway(...answers: Answer[]) {
  const server = await startCallbackReceiver({
    respond: (_request, response) => {
      const answer = answers.shift() ?? accepted;
      if (answer === 'break') {
        response.destroy();
      } else if (answer !== 'hang') {
        response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body ?? {}));
      }
    },
  });
  const client = new AsyncfnClient({ url: server.url, retry: quick });
  return { server, client, [Symbol.asyncDispose]: () => server.close() };
}

function keysOf(requests: readonly RecordedRequest[]): unknown[] {
  return requests.map(({ headers }) => headers['idempotency-key']);
}

const busy = { status: 503, headers: { 'Retry-After': '0' }, body: { code: 'broker_timeout' } };

test('a call is sent again with its key and its body until the gateway accepts it', async () => {
  await using gateway = await startGateway('break', busy, { status: 502 }, 'break');
  const receipt = await gateway.client.call('hash', 'hello');
  expect(receipt).toMatchObject({ callId: 'call-1', function: 'hash', status: 'queued', replayed: false });
  const { callbacks } = gateway.server;
  expect(new Set(keysOf(callbacks))).toEqual(new Set([receipt.idempotencyKey]));
  expect(callbacks.map(({ body }) => body.toString())).toEqual(Array.from({ length: 5 }, () => 'hello'));
});

test('two calls have two keys, and the key of the caller is kept', async () => {
  await using gateway = await startGateway();
  await gateway.client.call('hash', 'hello');
  await gateway.client.call('hash', 'hello');
  await gateway.client.call('hash', 'hello', { idempotencyKey: 'order-1' });
  await gateway.client.call('hash', 'hello', { headers: { 'Idempotency-Key': 'order-2' } });
  const [first, second, ...chosen] = keysOf(gateway.server.callbacks);
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(second).not.toBe(first);
  expect(chosen).toEqual(['order-1', 'order-2']);
});

test('a form has the same boundary at every try', async () => {
  await using gateway = await startGateway('break', 'break');
  const form = new FormData();
  form.set('file', new Blob(['content'], { type: 'text/plain' }), 'a.txt');
  await gateway.client.call('hash', form);
  const { callbacks } = gateway.server;
  expect(callbacks).toHaveLength(3);
  expect(new Set(callbacks.map(({ body }) => body.toString()))).toHaveLength(1);
  expect(new Set(callbacks.map(({ headers }) => headers['content-type']))).toHaveLength(1);
  expect(callbacks[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
});

test('a call without a key is retried only if the gateway says that it was not stored', async () => {
  await using gateway = await startGateway({ status: 429, headers: { 'Retry-After': '0' } }, 'break');
  const failed = gateway.client.call('hash', 'hello', { idempotencyKey: false });
  await expect(failed).rejects.toMatchObject({
    name: 'UnreachableError',
    code: 'unreachable',
    idempotencyKey: undefined,
  });
  expect(keysOf(gateway.server.callbacks)).toEqual([undefined, undefined]);
});

test('a stream is sent once, without a key', async () => {
  await using gateway = await startGateway(busy);
  const stream = new Blob(['hello']).stream();
  await expect(gateway.client.call('hash', stream)).rejects.toMatchObject({ status: 503, code: 'broker_timeout' });
  expect(gateway.server.callbacks).toHaveLength(1);
  expect(gateway.server.callbacks[0]).toMatchObject({ body: Buffer.from('hello') });
  expect(keysOf(gateway.server.callbacks)).toEqual([undefined]);
});

test('a refusal is not repeated, and has the members of the problem', async () => {
  const problem = { code: 'unknown_function', status: 404, title: 'No such function', detail: 'Register it.' };
  await using gateway = await startGateway({ status: 404, body: problem });
  const error = await gateway.client.call('hash', '').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ ...problem, problem, message: 'No such function: Register it.' });
  expect(gateway.server.callbacks).toHaveLength(1);
});

test('a 429 without Retry-After, and an error of a proxy that nothing comes after, are not repeated', async () => {
  await using gateway = await startGateway({ status: 429 }, { status: 500 });
  await expect(gateway.client.call('hash', '')).rejects.toMatchObject({ code: 'http_429', status: 429 });
  await expect(gateway.client.call('hash', '')).rejects.toMatchObject({ code: 'http_500', status: 500 });
  expect(gateway.server.callbacks).toHaveLength(2);
});

test('retries end after attempts, and the error has the key with which the call may be made again', async () => {
  await using gateway = await startGateway('break', 'break', 'break');
  const client = new AsyncfnClient({ url: gateway.server.url, retry: { ...quick, attempts: 2 } });
  const error = await client.call('hash', 'hello').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnreachableError);
  expect(gateway.server.callbacks).toHaveLength(3);
  expect(keysOf(gateway.server.callbacks)).toContain((error as UnreachableError).idempotencyKey);
});

test('a Retry-After that is longer than the time for retries ends them at once', async () => {
  await using gateway = await startGateway({ ...busy, headers: { 'Retry-After': '3600' } });
  await expect(gateway.client.call('hash', '')).rejects.toMatchObject({ status: 503, retryAfterMs: 3_600_000 });
});

test('a gateway that hangs is given up after requestTimeoutMs, and asked again', async () => {
  await using gateway = await startGateway('hang');
  const client = new AsyncfnClient({ url: gateway.server.url, retry: quick, requestTimeoutMs: 50 });
  await client.call('hash', 'hello');
  expect(gateway.server.callbacks).toHaveLength(2);
  const impatient = new AsyncfnClient({ url: gateway.server.url, retry: { attempts: 0 }, requestTimeoutMs: 50 });
  gateway.server.handler = () => undefined;
  await expect(impatient.call('hash', 'hello')).rejects.toMatchObject({ name: 'UnreachableError', code: 'timeout' });
});

test('an aborted signal ends a request, a wait for a retry, and what has not begun', async () => {
  await using gateway = await startGateway('hang', { ...busy, headers: { 'Retry-After': '30' } });
  const controller = new AbortController();
  const hanging = gateway.client.call('hash', '', { signal: controller.signal });
  await gateway.server.waitForCallbacks(1);
  controller.abort(new Error('no longer needed'));
  await expect(hanging).rejects.toThrow('no longer needed');

  const late = new AbortController();
  const { signal } = late;
  const waiting = gateway.client.call('hash', '', { signal });
  await gateway.server.waitForCallbacks(2);
  late.abort(new DOMException('too late', 'TimeoutError'));
  await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  await expect(gateway.client.call('hash', '', { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(gateway.server.callbacks).toHaveLength(2);
});

test('a redirect is not followed, so that the token stays with the gateway', async () => {
  await using gateway = await startGateway({ status: 307, headers: { Location: 'http://example.com/' } });
  const error = await gateway.client.call('hash', '').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnexpectedAnswerError);
  expect(String(error)).toContain('redirect to http://example.com/');
});

test('an answer that is not of a gateway is an error that says so', async () => {
  await using gateway = await startGateway({ status: 200, body: { hello: 'world' } });
  await expect(gateway.client.call('hash', '')).rejects.toMatchObject({ code: 'unexpected_answer' });
});

test('a token is asked for before each try', async () => {
  await using gateway = await startGateway('break');
  const tokens = ['old', 'new'];
  const client = new AsyncfnClient({ url: gateway.server.url, retry: quick, token: async () => tokens.shift() ?? '' });
  await client.call('hash', '');
  const sent = gateway.server.callbacks.map(({ headers }) => headers.authorization);
  expect(sent).toEqual(['Bearer old', 'Bearer new']);
});

test('a cancel whose answer was lost is a success', async () => {
  const call = { callId: 'call-1', status: 'cancelled' };
  const gone = { status: 409, body: { code: 'already_ended', call } };
  await using gateway = await startGateway('break', gone, gone);
  expect(await gateway.client.cancel('call-1')).toEqual(call);
  await expect(gateway.client.cancel('call-1')).rejects.toMatchObject({ code: 'already_ended', problem: { call } });
});
