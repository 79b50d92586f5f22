import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let operator: Operator;
const functions: TestFunction[] = [];

beforeAll(async () => {
  stack = await startStack({ functions: {}, gateways: 2, workers: 3, workerEnv: { ACK_WAIT: '6s' } });
  client = new ApiClient(stack.gateway.url);
  operator = new Operator(stack.gateway.url);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await Promise.all(functions.map((fn) => fn[Symbol.asyncDispose]()));
});

async function register(name: string, settings: object, options = {}): Promise<TestFunction> {
  const fn = await startTestFunction(options);
  functions.push(fn);
  expect(await operator.register(name, { url: fn.url, ...settings })).toMatchObject({ status: 201 });
  return fn;
}

interface Attempt {
  readonly startedAt: string;
  readonly worker: string;
}

/** The attempts of all calls that a function has got, as their workers have begun them. */
async function attemptsOf(fn: TestFunction): Promise<Attempt[]> {
  const ids = new Set(fn.invocations.map(({ callId }) => callId));
  const lists = await Promise.all(
    [...ids].map(async (id) => {
      const response = await fetch(`${stack.gateway.url}/async-function/${id}/attempts`);
      return ((await response.json()) as { attempts: Attempt[] }).attempts;
    }),
  );
  return lists.flat();
}

/** The most attempts that were begun in any window of this length. */
function mostIn(attempts: readonly Attempt[], windowMs: number): number {
  const times = attempts.map(({ startedAt }) => Date.parse(startedAt)).toSorted((one, other) => one - other);
  return Math.max(...times.map((from, index) => times.slice(index).filter((at) => at < from + windowMs).length));
}

/**
 * Attempts are counted by when their workers began them, in whole milliseconds of clocks that may be a little off. So
 * the window is that much shorter than a second.
 */
const windowMs = 980;

test('200 calls at a rate of 20/1s run on three workers in ten seconds, and no second has more than 20', async () => {
  const fn = await register('paced', { rate: '20/1s' });
  const startedAt = performance.now();
  await client.acceptMany('paced', 200);
  await fn.waitForInvocations(200);
  const tookMs = performance.now() - startedAt;
  await stack.untilSettled();

  const attempts = await attemptsOf(fn);
  expect(attempts).toHaveLength(200);
  expect(mostIn(attempts, windowMs)).toBeLessThanOrEqual(20);
  expect(new Set(attempts.map(({ worker }) => worker)).size).toBeGreaterThan(1);
  expect(tookMs).toBeGreaterThan(9_000);
  // Less than 11 s on a quiet machine.
  expect(tookMs).toBeLessThan(80_000);
});

test('a changed rate holds for the calls that wait', async () => {
  const fn = await register('changed', { rate: '2/1h' });
  await client.acceptMany('changed', 50);
  await fn.waitForInvocations(2);
  expect(await operator.register('changed', { url: fn.url, rate: '100/1s' })).toMatchObject({ status: 200 });
  // Felt within 2 s on a quiet machine.
  await fn.waitForInvocations(50);
});

test('a retry counts like a first attempt', async () => {
  let answered = 0;
  const handler: TestFunction['handler'] = (_, response) => {
    answered += 1;
    response.writeHead(answered <= 20 ? 500 : 200).end();
  };
  const retry = { attempts: 5, minWait: '10ms', maxWait: '10ms' };
  const fn = await register('retried', { rate: '10/1s', retry }, { handler });
  await client.acceptMany('retried', 20);
  await fn.waitForInvocations(40);
  await stack.untilSettled();
  const attempts = await attemptsOf(fn);
  expect(attempts).toHaveLength(40);
  expect(mostIn(attempts, windowMs)).toBeLessThanOrEqual(10);
});

test('the share of a killed worker is free within its lease', async () => {
  const fn = await register('orphaned', { rate: '1/1s' });
  const callIds = await client.acceptMany('orphaned', 30);
  expect(callIds).toHaveLength(30);
  await fn.waitForInvocations(2);
  const holder = await eventually(async () => (await attemptsOf(fn)).at(-1)?.worker);
  const worker = stack.workers.find(({ pid }) => holder?.endsWith(`:${pid}`));
  worker?.kill('SIGKILL');
  const killedAt = performance.now();
  const before = fn.invocations.length;
  await fn.waitForInvocations(before + 3);
  expect(performance.now() - killedAt).toBeLessThan(60_000);
  await stack.startWorker();
});
