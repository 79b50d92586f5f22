import { ApiClient, CallClient, type CallState, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  eventually,
  type RecordedRequest,
  type RequestHandler,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { armFault, startFaultyWorker } from './harness/faulty-worker.ts';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let functions: Record<'fine' | 'broken' | 'one' | 'two' | 'three', TestFunction>;
let inbox: CallbackReceiver;
let failures: CallbackReceiver;

beforeAll(async () => {
  const [fine, broken] = await Promise.all([startTestFunction(), startTestFunction()]);
  const [one, two, three] = await Promise.all([startTestFunction(), startTestFunction(), startTestFunction()]);
  functions = { fine, broken, one, two, three };
  [inbox, failures] = await Promise.all([startCallbackReceiver(), startCallbackReceiver()]);
  stack = await startStack({
    functions: {
      fine: fine.url,
      broken: broken.url,
      one: one.url,
      'two.team': { url: two.url, queue: 'second' },
      three: three.url,
      chained: { url: one.url, then: ['three/by-default'] },
      told: { url: fine.url, callbackUrl: `${inbox.url}/by-default`, failureCallbackUrl: `${failures.url}/by-default` },
    },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

beforeEach(() => {
  functions.fine.handler = status(200);
  functions.broken.handler = status(400, { body: 'not like this' });
  for (const name of ['one', 'two', 'three'] as const) {
    functions[name].handler = adding(name);
  }
});

afterAll(async () => {
  const parts = [client, calls, stack, inbox, failures, ...Object.values(functions)];
  await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
});

/** Answers with its body and its name. */
function adding(name: string): RequestHandler {
  return ({ body }, response) => {
    response.setHeader('Content-Type', `text/${name}`);
    response.setHeader('X-Own', name);
    response.end(`${body.toString()} ${name}`);
  };
}

/** The ids of a chain, from its first call on, once each has ended. */
async function walk(callId: string): Promise<CallState[]> {
  const states: CallState[] = [];
  for (let at: string | undefined = callId; at !== undefined; ) {
    const state: CallState = await calls.untilEnded(at);
    states.push(state);
    at = state['next'] as string | undefined;
  }
  return states;
}

/** The one callback of a call. */
async function callbackOf(callId: string, at: CallbackReceiver) {
  const callback = await eventually(() => at.byCallId(callId)[0]);
  await eventually(async () => (await calls.state(callId))['callback']);
  return callback;
}

describe('two kinds of ends', () => {
  test('a failure goes to X-Failure-Callback-Url alone, a success to X-Callback-Url alone', async () => {
    const options = { headers: { 'X-Failure-Callback-Url': `${failures.url}/a?b` }, callbackUrl: inbox.url };
    const [bad, good] = [await client.accept('broken', options), await client.accept('fine', options)];
    const failure = await callbackOf(bad, failures);
    expect([failure.url, failure.body.toString()]).toEqual(['/a?b', 'not like this']);
    expect(failure.headers).toMatchObject({ 'x-function-status': '400', 'x-function-name': 'broken' });
    expect((await callbackOf(good, inbox)).headers).toMatchObject({ 'x-function-status': '200' });
    expect([inbox.byCallId(bad), failures.byCallId(good)]).toEqual([[], []]);
    expect(await calls.state(bad)).toMatchObject({ status: 'failed', callback: { url: `${failures.url}/a` } });
    expect(await calls.state(good)).toMatchObject({ status: 'succeeded', callback: { status: 'delivered' } });
  });

  test('a call that expires goes to X-Failure-Callback-Url', async () => {
    const headers = { 'X-Failure-Callback-Url': failures.url, 'X-Delay': '1h', 'X-Expires-In': '100ms' };
    const callId = await client.accept('fine', { headers, callbackUrl: inbox.url });
    expect((await callbackOf(callId, failures)).headers).toMatchObject({ 'x-function-status': '504' });
    expect(inbox.byCallId(callId)).toEqual([]);
  });

  test('a success without X-Callback-Url calls no receiver', async () => {
    const callId = await client.accept('fine', { headers: { 'X-Failure-Callback-Url': failures.url } });
    const ended = await calls.untilEnded(callId);
    expect(ended).toMatchObject({ status: 'succeeded' });
    expect(ended).not.toHaveProperty('callback');
  });

  test('a failure URL is checked as X-Callback-Url is', async () => {
    const refused = await client.call('fine', { headers: { 'X-Failure-Callback-Url': 'http://169.254.169.254/' } });
    expect([refused.status, refused.code]).toEqual([400, 'callback_not_allowed']);
    expect(refused.text).toContain('X-Failure-Callback-Url');
  });

  test('the settings of a function name the receivers if the caller names none', async () => {
    expect((await callbackOf(await client.accept('told'), inbox)).url).toBe('/by-default');
    const own = await client.accept('told', { callbackUrl: `${inbox.url}/own` });
    expect((await callbackOf(own, inbox)).url).toBe('/own');
    functions.fine.handler = status(400, { times: 1 });
    expect((await callbackOf(await client.accept('told'), failures)).url).toBe('/by-default');
  });
});

test('forwarded headers reach receivers in place of those of the function, and nothing else (P9)', async () => {
  functions.fine.handler = (_, response) => void response.setHeader('X-Tenant', 'of the function').end('done');
  const headers = { 'X-Callback-Forward-X-Tenant': 'tenant-s3cret', 'X-Callback-Forward-Authorization': 'Bearer r' };
  const callId = await client.accept('fine', { headers, callbackUrl: inbox.url });
  const callback = await callbackOf(callId, inbox);
  expect(callback.headers).toMatchObject({ 'x-tenant': 'tenant-s3cret', authorization: 'Bearer r' });
  const [invocation] = functions.fine.byCallId(callId);
  expect(JSON.stringify(invocation?.rawHeaders)).not.toMatch(/s3cret|Bearer|callback/i);
  expect(JSON.stringify(await calls.state(callId))).not.toContain('s3cret');
});

describe('a chain', () => {
  test('calls each function with the result of the one before, and sends the result of the last', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const headers = {
      traceparent,
      'X-Then': 'two.team/a%2Cb?c=d%2C&e , three',
      'X-Callback-Forward-X-Tenant': 'seven',
      'X-Failure-Callback-Url': failures.url,
      'X-Own': 'of the caller',
      'X-Timeout': '30s',
    };
    const first = await client.accept('one', { headers, body: 'zero', callbackUrl: `${inbox.url}/end` });
    const [one, two, three] = await walk(first);
    const last = String(three?.callId);
    const callback = await callbackOf(last, inbox);

    expect([callback.url, callback.body.toString()]).toEqual(['/end', 'zero one two three']);
    expect(callback.headers).toMatchObject({
      traceparent,
      'x-root-call-id': first,
      'x-function-name': 'three',
      'content-type': 'text/three',
      'x-tenant': 'seven',
    });
    expect([one, two, three].map((state) => state?.status)).toEqual(Array(3).fill('succeeded'));
    expect(one).toMatchObject({ function: 'one', then: ['two.team/a%2Cb?c=d%2C&e', 'three'], next: two?.callId });
    expect(two).toMatchObject({ queue: 'second', then: ['three'], next: last, parentId: first, rootId: first });
    expect(three).toMatchObject({ function: 'three', parentId: two?.callId, rootId: first });
    for (const absent of ['rootId', 'parentId', 'callback']) {
      expect(one).not.toHaveProperty(absent);
    }
    expect(Object.keys(three ?? {})).not.toEqual(expect.arrayContaining(['then', 'next']));
    const [invocation, ...more] = functions.two.byCallId(String(two?.callId));
    expect(more).toEqual([]);
    expect([invocation?.url, invocation?.body.toString()]).toEqual(['/a%2Cb?c=d%2C&e', 'zero one']);
    expect(invocation?.headers).toMatchObject({ 'content-type': 'text/one', traceparent });
    expect(Object.keys(invocation?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/own|timeout|tenant|callback|then/)]),
    );
    expect(failures.byCallId(last)).toEqual([]);
  });

  test('whose second function answers 400 sends one callback, and goes on after a replay', async () => {
    functions.two.handler = status(400, { times: 1 });
    const headers = { 'X-Then': 'two.team,three', 'X-Failure-Callback-Url': failures.url };
    const first = await client.accept('one', { headers, body: 'zero', callbackUrl: inbox.url });
    const [, two] = await walk(first);
    const second = String(two?.callId);
    const failure = await callbackOf(second, failures);
    expect(failure.headers).toMatchObject({
      'x-function-name': 'two.team',
      'x-function-status': '400',
      'x-root-call-id': first,
    });
    expect(two).toMatchObject({ status: 'failed', then: ['three'] });
    expect(functions.three.invocations.filter(from(second))).toEqual([]);

    functions.two.handler = adding('two');
    const replay = await fetch(`${stack.gateway.url}/system/dead-letters/${second}/replay`, { method: 'POST' });
    expect(replay.status).toBe(202);
    const last = await eventually(() => functions.three.invocations.find(from(second)));
    const callback = await callbackOf(String(last.callId), inbox);
    expect(callback.body.toString()).toBe('zero one two three');
    expect(failures.callbacks.filter((each) => each.headers['x-root-call-id'] === first)).toHaveLength(1);
    expect(await calls.state(second)).toMatchObject({ status: 'succeeded', replays: 1, next: last.callId });
  });

  test('without a failure URL tells X-Callback-Url which step has failed', async () => {
    functions.one.handler = status(422);
    const first = await client.accept('one', { headers: { 'X-Then': 'three' }, callbackUrl: inbox.url });
    expect((await callbackOf(first, inbox)).headers).toMatchObject({
      'x-function-name': 'one',
      'x-function-status': '422',
      'x-root-call-id': first,
    });
    expect(await calls.state(first)).not.toHaveProperty('next');
  });

  test('is that of the settings if the caller names none', async () => {
    const [one, three, ...more] = await walk(await client.accept('chained'));
    expect(one).toMatchObject({ function: 'chained', then: ['three/by-default'] });
    expect([three?.['function'], more]).toEqual(['three', []]);
    expect(functions.three.byCallId(String(three?.callId))[0]?.url).toBe('/by-default');
    const own = await walk(await client.accept('chained', { headers: { 'X-Then': 'one' } }));
    expect(own.map((state) => state['function'])).toEqual(['chained', 'one']);
  });

  test('goes on with a result that fits into no message', async () => {
    const result = Buffer.alloc(8_380_000, 'x');
    functions.one.handler = (_, response) => void response.end(result);
    const first = await client.accept('one', { headers: { 'X-Then': 'three' }, callbackUrl: inbox.url });
    const last = await eventually(() => functions.three.invocations.find(from(first)), { timeoutMs: 30_000 });
    expect(last.headers).toMatchObject({ 'content-length': String(result.length) });
    expect(last.body.equals(result)).toBe(true);
    await callbackOf(String(last.callId), inbox);
    expect((await calls.result(first)).body.equals(result)).toBe(true);
  });

  test('waits if the next function is paused, and is cancelled there as a whole, by the id of its first call', async () => {
    await setPaused('three', true);
    try {
      const first = await client.accept('one', { headers: { 'X-Then': 'two.team,three' }, callbackUrl: inbox.url });
      const third = await eventually(async () => {
        const second = (await calls.state(first))['next'];
        return typeof second === 'string' && (await calls.state(second))['next'];
      });
      expect(await calls.until(String(third), 'queued')).toMatchObject({ rootId: first });
      const cancelled = await calls.ask(first, '', 'DELETE');
      expect([cancelled.status, cancelled.body['status']]).toEqual([202, 'cancelled']);
      expect(cancelled.body).toMatchObject({ callId: third, rootId: first });
      expect((await calls.ask(first, '', 'DELETE')).status).toBe(409);
    } finally {
      await setPaused('three', false);
    }
  });

  test.each([
    [400, 'invalid_then', Array.from({ length: 17 }, () => 'one').join()],
    [400, 'invalid_then', 'one,,three'],
    [400, 'invalid_function_name', 'one,no one'],
    [400, 'invalid_path', 'one/../..'],
    [404, 'unknown_function', 'one,two'],
  ])('is answered %i %s, and nothing is stored, for %j', async (code, problem, steps) => {
    const answer = await client.call('one', { headers: { 'X-Then': steps, 'X-Call-Id': 'refused' } });
    expect([answer.status, answer.code]).toEqual([code, problem]);
    expect((await calls.ask('refused')).status).toBe(404);
  });
});

describe('a worker that dies', () => {
  test.each(['outcome stored', 'step stored'])('after "%s" makes the step once', async (step) => {
    await using own = await startStack({
      functions: { one: functions.one.url, three: functions.three.url },
      workers: 0,
      workerEnv: { ACK_WAIT: '3s' },
    });
    await using ownClient = new ApiClient(own.gateway.url);
    const callId = `dies-after-${step.replace(' ', '-')}`;
    const workers = await Promise.all([startFaultyWorker(own), startFaultyWorker(own)]);
    await armFault(own, { step, callId });
    await ownClient.accept('one', { headers: { 'X-Call-Id': callId, 'X-Then': 'three' }, callbackUrl: inbox.url });
    expect(await Promise.race(workers.map((worker) => worker.exited))).toMatchObject({ signal: 'SIGKILL' });
    const last = await eventually(() => functions.three.invocations.find(from(callId)));
    await eventually(() => inbox.byCallId(String(last.callId)).length > 0);
    await untilIdle(own);
    expect(functions.one.countBy(callId)).toBe(1);
    expect(new Set(functions.three.invocations.filter(from(callId)).map((each) => each.callId)).size).toBe(1);
  });
});

/** Waits until no call waits or runs. The ids of steps stay in the queue. */
async function untilIdle({ gateway }: Stack): Promise<void> {
  await eventually(
    async () => {
      const queue = (await (await fetch(`${gateway.url}/system/queues/default`)).json()) as Record<string, number>;
      return queue['depth'] === 0 && queue['scheduled'] === 0 && queue['inFlight'] === 0;
    },
    { message: 'calls stay in the queue' },
  );
}

function from(parent: string): (request: RecordedRequest) => boolean {
  return ({ headers }) => headers['x-parent-call-id'] === parent;
}

async function setPaused(name: string, paused: boolean): Promise<void> {
  const path = `/system/functions/${name}/${paused ? 'pause' : 'resume'}`;
  expect((await fetch(`${stack.gateway.url}${path}`, { method: 'POST' })).status).toBe(200);
}
