import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, gate, sleep, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

/** Two seconds are promised until a change is live in every process; a busy machine takes longer. */
const live = { timeoutMs: 30_000 };

let ofFile: TestFunction;
let stack: Stack;
let client: ApiClient;
let one: Operator;
let two: Operator;

beforeAll(async () => {
  ofFile = await startTestFunction();
  const functions = { both: ofFile.url };
  stack = await startStack({ functions, gateways: 2, workers: 2, workerEnv: { MAX_INFLIGHT: '5' } });
  [one, two] = stack.gateways.map(({ url }) => new Operator(url)) as [Operator, Operator];
  client = new ApiClient(stack.gateways[1]!.url);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await ofFile[Symbol.asyncDispose]();
});

describe('a function that is registered by the API', () => {
  test('is live in two gateways and two workers soon, and so is a change of it', async () => {
    await using first = await startTestFunction({ handler: sleep(20) });
    await using second = await startTestFunction({ handler: sleep(20) });
    expect(await client.call('fresh')).toMatchObject({ status: 404 });

    expect(await one.register('fresh', { url: first.url })).toMatchObject({ status: 201 });
    await eventually(async () => (await client.call('fresh')).status === 202, live);
    await first.waitForInvocations(1, live.timeoutMs);
    const callMany = async (): Promise<void> => {
      await client.acceptMany('fresh', 60);
      await stack.untilSettled();
    };
    await eventually(async () => {
      await callMany();
      const shares = await Promise.all(stack.workers.map((worker) => worker.metric('queue_worker_attempts_total')));
      return Math.min(...shares) > 0;
    }, live);

    expect(await two.register('fresh', { url: second.url })).toMatchObject({ status: 200 });
    await eventually(async () => {
      const [before, to] = [first.invocations.length, second.invocations.length + 60];
      await callMany();
      return first.invocations.length === before && second.invocations.length === to;
    }, live);
    expect((await one.show('fresh')).body).toMatchObject({ url: second.url, source: 'api' });
  });

  test('needs no functions file, and outlives a restart of everything', async () => {
    await using fn = await startTestFunction();
    await using own = await startStack({ functions: {}, env: { FUNCTIONS_FILE: '' } });
    await new Operator(own.gateway.url).register('kept', { url: fn.url, queue: 'own', concurrency: 3 });
    await own.gateway.stop();
    await own.worker.stop();
    await own.nats.restart();
    const gateway = await own.startGateway();
    await own.startWorker();
    expect((await new Operator(gateway.url).show('kept')).body).toMatchObject({ queue: 'own', concurrency: 3 });
    await using caller = new ApiClient(gateway.url);
    await caller.accept('kept');
    await fn.waitForInvocations(1);
  });

  test('is changed by one of two operators that have read the same, and the other gets 412', async () => {
    const { etag } = await one.register('raced', { url: 'http://raced' });
    await eventually(async () => (await two.show('raced')).etag === etag);
    for (let round = 0, tag = etag; round < 10; round++) {
      const change = (by: Operator, to: number) =>
        by.register('raced', { url: 'http://raced', concurrency: to }, { 'If-Match': tag });
      const answers = await Promise.all([change(one, 1), change(two, 2)]);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
      expect(answers.find(({ status }) => status === 412)?.body).toMatchObject({ code: 'precondition_failed' });
      tag = answers.find(({ status }) => status === 200)?.etag ?? '';
    }
  });

  test('is not removed while calls of it wait, and is afterwards', async () => {
    await using fn = await startTestFunction();
    await two.register('busy', { url: fn.url });
    await two.ask('POST', '/functions/busy/pause');
    await client.acceptMany('busy', 3);
    expect(await two.ask('DELETE', '/functions/busy')).toMatchObject({
      status: 409,
      body: { code: 'calls_waiting', calls: 3 },
    });
    await two.ask('POST', '/functions/busy/resume');
    await fn.waitForInvocations(3);
    await stack.untilSettled();
    expect(await two.ask('DELETE', '/functions/busy')).toMatchObject({ status: 204 });
    expect(await client.call('busy')).toMatchObject({ status: 404, code: 'unknown_function' });
  });
});

test('a function is removed with its backlog, and each of these calls ends as cancelled', async () => {
  const held = gate();
  await using fn = await startTestFunction({ handler: held.handler });
  await two.register('doomed', { url: fn.url, concurrency: 1 });
  const running = await client.accept('doomed');
  await fn.waitForInvocations(1);
  const waiting = await client.acceptMany('doomed', 5);
  expect(await two.ask('DELETE', '/functions/doomed')).toMatchObject({ status: 409, body: { calls: 6 } });
  expect(await two.ask('DELETE', '/functions/doomed?purge=true')).toMatchObject({ status: 204 });
  expect(await two.show('doomed')).toMatchObject({ status: 404 });
  const statusOf = async (callId: string) => {
    const response = await fetch(`${stack.gateways[1]!.url}/async-function/${callId}`);
    return ((await response.json()) as { status: string }).status;
  };
  for (const callId of waiting) {
    expect(await statusOf(callId)).toBe('cancelled');
  }
  held.open();
  await eventually(async () => (await statusOf(running)) === 'succeeded');
  await stack.untilSettled();
  expect(fn.invocations).toHaveLength(1);
});

test('the API overrides a functions file, whichever process starts, until its settings are deleted', async () => {
  await using ofApi = await startTestFunction();
  expect((await two.show('both')).body).toMatchObject({ source: 'file', url: ofFile.url });
  expect(await two.register('both', { url: ofApi.url })).toMatchObject({ status: 200 });
  await stack.worker.stop();
  const worker = await stack.startWorker();
  await worker.untilLogged('the API overrides the functions file', (line) => line['function'] === 'both');
  expect((await two.show('both')).body).toMatchObject({ source: 'api', url: ofApi.url });
  await client.accept('both');
  await ofApi.waitForInvocations(1);
  expect(ofFile.invocations).toEqual([]);

  expect(await two.ask('DELETE', '/functions/both')).toMatchObject({ status: 204 });
  expect((await two.show('both')).body).toMatchObject({ source: 'file', url: ofFile.url });
  await eventually(async () => {
    await client.accept('both');
    return ofFile.invocations.length > 0;
  });
});
