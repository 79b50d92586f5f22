// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a functions file
import { writeFile } from 'node:fs/promises';
import { ApiClient } from '@asyncfn/stack';
import { eventually, sleep, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

describe('a function in the functions file', () => {
  test('has no more calls in flight than its concurrency, over all workers', async () => {
    const concurrency = 5;
    await using fn = await startTestFunction({ handler: sleep(20) });
    await using stack = await startStack({ functions: { capped: { url: fn.url, concurrency } }, workers: 2 });
    await using client = new ApiClient(stack.gateway.url);
    await client.acceptMany('capped', 200);
    await fn.waitForInvocations(200);
    await stack.untilSettled();

    expect(fn.maxInFlight).toBe(concurrency);
    const shares = await Promise.all(stack.workers.map((worker) => worker.metric('queue_worker_attempts_total')));
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  test('is served by the workers of its queue alone', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({
      functions: { one: { url: fn.url, queue: 'first' }, two: { url: fn.url, queue: 'second' } },
      workerEnv: { QUEUES: 'first' },
    });
    await using client = new ApiClient(stack.gateway.url);
    const waiting = await client.accept('two');
    await client.accept('one');
    await fn.waitForInvocations(1);
    await eventually(async () => (await stack.queued()) === 1);
    expect(fn.countBy(waiting)).toBe(0);

    await stack.startWorker({ QUEUES: 'second' });
    await fn.waitForInvocations(2);
    expect(fn.countBy(waiting)).toBe(1);
  });

  test('is given up at its timeout, and its caller is told 504', async () => {
    await using fn = await startTestFunction({ handler: sleep(60_000) });
    await using inbox = await startCallbackReceiver();
    const stuck = { url: fn.url, timeout: '300ms', retry: { attempts: 0 } };
    await using stack = await startStack({ functions: { stuck } });
    await using client = new ApiClient(stack.gateway.url);
    const callId = await client.accept('stuck', { callbackUrl: inbox.url });
    await inbox.waitForCallbacks(1);

    expect(inbox.byCallId(callId)[0]?.headers).toMatchObject({ 'x-function-status': '504', 'content-length': '0' });
    await eventually(() => fn.invocations[0]?.aborted === true);
  });
});

describe('a change of the functions file', () => {
  const liveMs = 2_500;

  test('is live in gateway and worker within about two seconds, without a restart', async () => {
    await using first = await startTestFunction();
    await using second = await startTestFunction();
    await using stack = await startStack({ functions: { echo: first.url } });
    await using client = new ApiClient(stack.gateway.url);
    expect(await client.call('later')).toMatchObject({ status: 404, code: 'unknown_function' });

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
    expect(first.invocations).toEqual([]);

    await stack.writeFunctions({ later: second.url });
    await eventually(async () => (await client.call('echo')).status === 404, { timeoutMs: liveMs });
  });

  test('is filled in from the environment, and one that cannot be leaves the last good one in force', async () => {
    await using fn = await startTestFunction();
    const { host, port } = new URL(fn.url);
    const env = { FN_HOST: host.replace(`:${port}`, ''), FN_PORT: port };
    await using stack = await startStack({ functions: { echo: 'http://${FN_HOST}:${FN_PORT}' }, env });
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('echo');
    await fn.waitForInvocations(1);
    await writeFile(stack.functionsFile, 'functions: { echo: { url: "http://${FN_HOST}:${FN_PORT}/${GONE}" } }\n');
    for (const app of [stack.gateway, stack.worker]) {
      const problems = await eventually(() => app.logs.find(({ level }) => level === 'error')?.['problems']);
      expect(problems).toEqual([
        expect.stringMatching(/functions\.yaml:1: functions\.echo\.url \$\{GONE\} is not set/),
      ]);
    }
    await client.accept('echo');
    await fn.waitForInvocations(2);
    expect(fn.invocations.map(({ url }) => url)).toEqual(['/', '/']);
  });

  test('that is wrong is refused with every problem, and the last good one holds', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    await writeFile(stack.functionsFile, 'functions:\n  echo: { url: nonsense }\n  other: {}\n');
    for (const app of [stack.gateway, stack.worker]) {
      const problems = await eventually(() => app.logs.find(({ level }) => level === 'error')?.['problems']);
      expect(problems).toEqual([
        expect.stringContaining('functions.yaml:2: functions.echo.url must be'),
        expect.stringContaining('functions.yaml:3: functions.other.url is missing'),
      ]);
    }
    const callId = await client.accept('echo');
    await fn.waitForInvocations(1);
    expect(fn.countBy(callId)).toBe(1);
    expect(await client.call('other')).toMatchObject({ status: 404 });
  });
});
