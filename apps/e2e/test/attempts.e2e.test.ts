import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let fn: TestFunction;

beforeAll(async () => {
  fn = await startTestFunction();
  const retry = { attempts: 2, minWait: '50ms', maxWait: '50ms', backoff: 'exponential' };
  stack = await startStack({
    functions: { fn: { url: fn.url, retry }, gone: { url: 'http://127.0.0.1:1', retry } },
    workerEnv: { ACK_WAIT: '2s' },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

afterAll(async () => {
  await Promise.all([client, calls, stack, fn].map((part) => part[Symbol.asyncDispose]()));
});

interface Attempt {
  readonly attempt: number;
  readonly startedAt: string;
  readonly durationMs?: number;
  readonly verdict: string;
  readonly retryAt?: string;
  readonly worker: string;
}

async function attemptsOf(callId: string): Promise<Attempt[]> {
  const { status: code, body } = await calls.ask(callId, '/attempts');
  expect(code).toBe(200);
  return body['attempts'] as Attempt[];
}

/** The name of the running worker, as attempts have it. */
function namePattern(): RegExp {
  return new RegExp(`^.+:${stack.workers.at(-1)?.pid}$`);
}

test('a call whose function answers 503, 503 and 200 has three attempts, with their times and decisions', async () => {
  fn.handler = status(503, { times: 2 });
  const callId = await client.accept('fn');
  const state = await calls.untilEnded(callId);
  const attempts = await attemptsOf(callId);
  const worker = expect.stringMatching(namePattern());
  const retried = { status: 503, verdict: 'retry', startedAt: expect.any(String), retryAt: expect.any(String), worker };
  expect(attempts).toEqual([
    { attempt: 1, durationMs: expect.any(Number), ...retried },
    { attempt: 2, durationMs: expect.any(Number), ...retried },
    {
      attempt: 3,
      startedAt: expect.any(String),
      durationMs: state['durationMs'],
      status: 200,
      verdict: 'succeeded',
      worker,
    },
  ]);
  expect(attempts[0]?.startedAt).toBe(state['startedAt']);
  // Each began when its wait was over, and the call ended after the last.
  const times = attempts.flatMap(({ startedAt, retryAt }) => [startedAt, retryAt ?? String(state['endedAt'])]);
  expect(times).toEqual([...times].sort());
  expect(Date.parse(times[0]!)).toBeGreaterThanOrEqual(Date.parse(String(state['createdAt'])));
});

test('the attempts of a call that fails are in its dead letter as well, with the reasons why no answer came', async () => {
  const callId = await client.accept('gone');
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'failed', reason: 'retries_exhausted' });
  const attempts = await attemptsOf(callId);
  const error = 'unreachable: ECONNREFUSED';
  expect(attempts).toMatchObject([
    { attempt: 1, error, verdict: 'retry' },
    { attempt: 2, error, verdict: 'retry' },
    { attempt: 3, error, verdict: 'failed' },
  ]);
  expect(attempts[2]).not.toHaveProperty('retryAt');
  const letter = await eventually(async () => {
    const answer = await fetch(`${stack.gateway.url}/system/dead-letters/${callId}/attempts`);
    return answer.ok ? ((await answer.json()) as object) : undefined;
  });
  expect(letter).toEqual({ attempts });
});

test('an attempt that runs is shown, and ends as cancelled with its call', async () => {
  const held = gate(status(200));
  fn.handler = (request, response) =>
    (request.headers['x-retry'] === '0' ? status(503) : held.handler)(request, response);
  const callId = await client.accept('fn');
  await eventually(async () => (await calls.state(callId)).attempts === 2 && (await attemptsOf(callId)).length === 2);
  const [first, second] = await attemptsOf(callId);
  expect([first, second]).toMatchObject([
    { attempt: 1, verdict: 'retry' },
    { attempt: 2, verdict: 'running' },
  ]);
  expect(second).not.toHaveProperty('durationMs');
  expect((await calls.ask(callId, '', 'DELETE')).status).toBe(202);
  held.open();
  const cancelled = { ...second, verdict: 'cancelled', durationMs: expect.any(Number) };
  expect(await attemptsOf(callId)).toEqual([first, cancelled]);
});

test('an attempt whose worker was killed is lost, and those of a stopped worker do not count', async () => {
  const held = gate(status(200));
  fn.handler = held.handler;
  const callId = await client.accept('fn');
  await eventually(() => fn.countBy(callId) === 1);
  const running = (await attemptsOf(callId))[0];
  expect(running).toMatchObject({ attempt: 1, verdict: 'running', worker: expect.stringMatching(namePattern()) });
  stack.worker.kill('SIGKILL');
  await stack.worker.ended();
  const second = await stack.startWorker({ SHUTDOWN_TIMEOUT: '100ms' });
  await eventually(() => fn.countBy(callId) === 2);
  await second.stop();
  await stack.startWorker();
  await eventually(() => fn.countBy(callId) === 3);
  held.open();
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'succeeded', attempts: 1 });
  const [lost, succeeded, ...more] = await attemptsOf(callId);
  expect(lost).toEqual({ attempt: 1, startedAt: expect.any(String), verdict: 'lost', worker: 'unknown' });
  expect(Date.parse(lost!.startedAt)).toBeLessThanOrEqual(Date.parse(running!.startedAt));
  expect(succeeded).toMatchObject({ attempt: 1, status: 200, verdict: 'succeeded' });
  expect(more).toEqual([]);
});

test('an unknown call has no attempts, and one that has not begun has none yet', async () => {
  expect(await calls.ask('nothing-of-this-name', '/attempts')).toMatchObject({
    status: 404,
    body: { code: 'call_not_found' },
  });
  expect(await attemptsOf(await client.accept('fn', { headers: { 'X-Delay': '1h' } }))).toEqual([]);
});
