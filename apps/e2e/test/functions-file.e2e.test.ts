// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a functions file
import { writeFile } from 'node:fs/promises';
import { ApiClient, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  echo,
  eventually,
  sleep,
  startCallbackReceiver,
  startTestFunction,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let fn: TestFunction;
let inbox: CallbackReceiver;
let stack: Stack;
let client: ApiClient;

beforeAll(async () => {
  fn = await startTestFunction();
  inbox = await startCallbackReceiver();
  const { hostname, port, origin } = new URL(fn.url);
  stack = await startStack({
    functions: {
      capped: { url: fn.url, concurrency: 5 },
      stuck: { url: fn.url, timeout: '300ms', retry: { attempts: 0 } },
      echo: `${origin}/file`,
      filled: 'http://${FN_HOST}:${FN_PORT}/filled',
    },
    env: { FN_HOST: hostname, FN_PORT: port },
    workers: 2,
  });
  client = new ApiClient(stack.gateway.url);
});

beforeEach(() => {
  fn.handler = echo;
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await inbox[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
});

/** Accepts a call, and resolves with the path at which it was invoked. */
async function invokedAt(name: string): Promise<string | undefined> {
  const callId = await client.accept(name);
  await eventually(() => fn.countBy(callId) === 1);
  return fn.byCallId(callId)[0]?.url;
}

describe('a function in the functions file', () => {
  test('has no more calls in flight than its concurrency, over all workers', async () => {
    fn.handler = sleep(20);
    await eventually(async () => {
      await client.acceptMany('capped', 200);
      await stack.untilSettled();
      const shares = await Promise.all(stack.workers.map((worker) => worker.metric('queue_worker_attempts_total')));
      // A worker that stands still leaves its share to the others.
      return fn.maxInFlight >= 5 && Math.min(...shares) > 0;
    });
    expect(fn.maxInFlight).toBe(5);
  });

  test('is aborted at its timeout, and its caller gets 504', async () => {
    fn.handler = sleep(60_000);
    const callId = await client.accept('stuck', { callbackUrl: inbox.url });
    await inbox.waitForCallbacks(1);

    expect(inbox.byCallId(callId)[0]?.headers).toMatchObject({ 'x-function-status': '504', 'content-length': '0' });
    await eventually(() => fn.byCallId(callId)[0]?.aborted === true);
  });

  test('is served by the workers of its queue alone', async () => {
    await using own = await startTestFunction();
    await using apart = await startStack({
      functions: { one: { url: own.url, queue: 'first' }, two: { url: own.url, queue: 'second' } },
      workerEnv: { QUEUES: 'first' },
    });
    await using caller = new ApiClient(apart.gateway.url);
    const waiting = await caller.accept('two');
    await caller.accept('one');
    await own.waitForInvocations(1);
    await eventually(async () => (await apart.queued()) === 1);
    expect(own.countBy(waiting)).toBe(0);

    await apart.startWorker({ QUEUES: 'second' });
    await own.waitForInvocations(2);
    expect(own.countBy(waiting)).toBe(1);
  });
});

/** Writes a file with problems, and expects that each process names them and keeps the last good one. */
async function expectRefused(text: string, problems: readonly unknown[]): Promise<void> {
  await writeFile(stack.functionsFile, text);
  for (const app of [...stack.gateways, ...stack.workers]) {
    await eventually(() => {
      expect(app.logs.findLast(({ level }) => level === 'error')?.['problems']).toEqual(problems);
      return true;
    });
  }
}

describe('a change of the functions file', () => {
  const liveMs = 2_500;

  test('is filled in from the environment, and an unset variable keeps the last good one in force', async () => {
    expect(await invokedAt('filled')).toBe('/filled');
    const text = 'functions: { filled: { url: "http://${FN_HOST}:${FN_PORT}/${GONE}" } }\n';
    await expectRefused(text, [
      expect.stringMatching(/functions\.yaml:1: functions\.filled\.url \$\{GONE\} is not set/),
    ]);
    expect(await invokedAt('filled')).toBe('/filled');
  });

  test('that is wrong is refused with every problem, and the last good one stays', async () => {
    await expectRefused('functions:\n  echo: { url: nonsense }\n  other: {}\n', [
      expect.stringContaining('functions.yaml:2: functions.echo.url must be'),
      expect.stringContaining('functions.yaml:3: functions.other.url is missing'),
    ]);
    expect(await invokedAt('echo')).toBe('/file');
    expect(await client.call('other')).toMatchObject({ status: 404 });
  });

  test('is live in gateway and worker within about two seconds, without a restart', async () => {
    await using second = await startTestFunction();
    expect(await client.call('later')).toMatchObject({ status: 404, code: 'unknown_function' });
    const before = fn.invocations.length;

    await stack.writeFunctions({ echo: second.url, later: second.url });
    const callId = await eventually(
      async () => {
        const { status, callId } = await client.call('later');
        return status === 202 && callId;
      },
      { timeoutMs: liveMs, message: 'a new function is not known' },
    );
    await eventually(() => second.countBy(callId) === 1, {
      timeoutMs: liveMs,
      message: 'a new function is not called',
    });
    await client.accept('echo');
    await second.waitForInvocations(2, liveMs);
    expect(fn.invocations).toHaveLength(before);

    await stack.writeFunctions({ later: second.url });
    await eventually(async () => (await client.call('echo')).status === 404, { timeoutMs: liveMs });
  });
});
