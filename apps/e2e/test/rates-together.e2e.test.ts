import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, sleep, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let operator: Operator;
const functions: TestFunction[] = [];

// As many slots as a single function would fill that held its waiting calls in them.
beforeAll(async () => {
  stack = await startStack({ functions: {}, workers: 2, workerEnv: { MAX_INFLIGHT: '2' } });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
  operator = new Operator(stack.gateway.url);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await calls[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await Promise.all(functions.map((fn) => fn[Symbol.asyncDispose]()));
});

async function register(name: string, settings: object, handler?: TestFunction['handler']): Promise<TestFunction> {
  const fn = await startTestFunction(handler === undefined ? {} : { handler });
  functions.push(fn);
  expect(await operator.register(name, { url: fn.url, ...settings })).toMatchObject({ status: 201 });
  return fn;
}

/** A function whose only start of this hour is used, and calls of it that wait. */
async function exhausted(name: string, waiting: number, settings: object = {}) {
  const fn = await register(name, { rate: '1/1h', ...settings });
  await client.accept(name);
  await fn.waitForInvocations(1);
  const ids = await client.acceptMany(name, waiting);
  await eventually(async () => {
    const states = await Promise.all(ids.map((id) => calls.state(id)));
    return states.every(({ status: now, waitingFor }) => now === 'queued' && waitingFor === 'rate');
  });
  return { fn, ids };
}

describe('calls that wait for their rate', () => {
  test('say so, hold no slot, and let calls of other functions pass', async () => {
    const { fn, ids } = await exhausted('hourly', 20);
    const other = await register('other', {});
    await client.acceptMany('other', 50);
    await other.waitForInvocations(50);
    expect(fn.invocations).toHaveLength(1);
    const listed = await operator.ask('GET', `/calls?function=hourly&status=queued`);
    expect(listed.body['calls']).toHaveLength(ids.length);
    expect(listed.body['calls']).toMatchObject(ids.map(() => ({ waitingFor: 'rate' })));
    const [state] = await Promise.all([calls.state(await client.accept('other'))]);
    expect(state).not.toHaveProperty('waitingFor');
  });

  test('can be cancelled, and purged', async () => {
    const { fn, ids } = await exhausted('dropped', 5);
    const [first = ''] = ids;
    expect(await calls.ask(first, '', 'DELETE')).toMatchObject({ status: 202 });
    expect(await calls.state(first)).toMatchObject({ status: 'cancelled' });
    expect(await operator.ask('POST', '/functions/dropped/purge')).toMatchObject({ body: { purged: 4 } });
    expect(fn.invocations).toHaveLength(1);
  });

  test('expire in time, and those that are delayed wait as well once they are due', async () => {
    const { fn } = await exhausted('expiring', 1);
    const expiring = await client.accept('expiring', { headers: { 'X-Expires-In': '1s' } });
    const delayed = await client.accept('expiring', { headers: { 'X-Delay': '1s' } });
    await calls.until(expiring, 'expired');
    await eventually(async () => (await calls.state(delayed))['waitingFor'] === 'rate');
    expect(fn.invocations).toHaveLength(1);
  });

  test('stay paused when the rate would let them run, and run when both do', async () => {
    const { fn, ids } = await exhausted('halted', 3);
    expect(await operator.ask('POST', '/functions/halted/pause')).toMatchObject({ status: 200 });
    expect(await operator.register('halted', { url: fn.url, rate: '100/1s' })).toMatchObject({ status: 200 });
    const free = await register('free', {});
    await client.acceptMany('free', 10);
    await free.waitForInvocations(10);
    expect(fn.invocations).toHaveLength(1);
    expect(await operator.ask('POST', '/functions/halted/resume')).toMatchObject({ status: 200 });
    await Promise.all(ids.map((id) => calls.until(id, 'succeeded')));
  });

  test('run at once if the rate is removed', async () => {
    const { fn, ids } = await exhausted('freed', 3);
    expect(await operator.register('freed', { url: fn.url })).toMatchObject({ status: 200 });
    await Promise.all(ids.map((id) => calls.until(id, 'succeeded')));
  });
});

test('concurrency and a rate hold together', async () => {
  const fn = await register('both', { rate: '20/1s', concurrency: 2 }, sleep(50));
  await client.acceptMany('both', 20);
  await fn.waitForInvocations(20);
  expect(fn.maxInFlight).toBeLessThanOrEqual(2);
});

test('Retry-After of a function counts, and its retry needs a start', async () => {
  const fn = await register(
    'busy',
    { rate: '2/1h', retry: { minWait: '10ms' } },
    status(429, { times: 1, retryAfter: 1 }),
  );
  const [first = ''] = await client.acceptMany('busy', 1);
  await calls.until(first, 'succeeded');
  const [one, two] = fn.invocations;
  expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThan(950);
  const late = await client.accept('busy');
  await eventually(async () => (await calls.state(late))['waitingFor'] === 'rate');
  expect(fn.invocations).toHaveLength(2);
});

test('a worker that stops gives its starts to the others', async () => {
  const fn = await register('handed', { rate: '10/1s' });
  const ids = await client.acceptMany('handed', 60);
  await fn.waitForInvocations(10);
  await stack.startWorker();
  await stack.worker.stop();
  await fn.waitForInvocations(60);
  await Promise.all(ids.map((id) => calls.untilEnded(id)));
  expect(fn.invocations).toHaveLength(60);
});
