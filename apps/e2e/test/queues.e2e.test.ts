import { ApiClient, startLoad } from '@asyncfn/stack';
import { eventually, gate, sleep, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

describe('a function that moves to another queue', () => {
  test('under load and with retries waiting loses no call, and calls none twice', async () => {
    const failedOnce = new Set<string>();
    await using fn = await startTestFunction({
      handler(request, response) {
        const callId = request.callId ?? '';
        // Every third call fails at first, and its retry waits in the old queue.
        const fails = !failedOnce.has(callId) && callId.charCodeAt(callId.length - 1) % 3 === 0;
        failedOnce.add(callId);
        return status(fails ? 503 : 200)(request, response);
      },
    });
    const settings = { url: fn.url, retry: { attempts: 5, minWait: '3s', maxWait: '3s', backoff: 'exponential' } };
    await using stack = await startStack({ functions: {}, gateways: 2, workers: 2 });
    const operator = new Operator(stack.gateway.url);
    await operator.register('moving', { ...settings, queue: 'before' });
    await using one = new ApiClient(stack.gateways[0]!.url);
    await using two = new ApiClient(stack.gateways[1]!.url);
    await eventually(async () => (await two.call('moving')).status === 202);
    const loads = [startLoad(one, 'moving', 4), startLoad(two, 'moving', 4)];
    await eventually(async () => Number((await operator.ask('GET', '/queues/before')).body['scheduled']) > 20);
    expect(await operator.register('moving', { ...settings, queue: 'after' })).toMatchObject({ status: 200 });
    await eventually(async () => Number((await operator.ask('GET', '/queues/after')).body['scheduled']) > 20);
    await Promise.all(loads.map((load) => load.stop()));
    await stack.untilSettled();

    const accepted = loads.flatMap((load) => load.accepted);
    expect(loads.flatMap((load) => [...load.refused, ...load.broken])).toEqual([]);
    for (const callId of accepted) {
      const expected = callId.charCodeAt(callId.length - 1) % 3 === 0 ? 2 : 1;
      expect(fn.countBy(callId), callId).toBe(expected);
    }
    expect(await operator.ask('GET', '/scaling/moving')).toMatchObject({
      body: { pending: 0, inFlight: 0, oldestAgeSeconds: 0 },
    });
  });
});

describe('a queue with a limit', () => {
  test('answers 503 queue_full when it is full, and takes calls again when it is drained', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({
      functions: { echo: fn.url },
      workers: 0,
      gateways: 2,
      gatewayEnv: { QUEUE_MAX_BYTES: '1MiB' },
    });
    const body = 'x'.repeat(50_000);
    const clients = stack.gateways.map(({ url }) => new ApiClient(url));
    await using one = clients[0]!;
    await using two = clients[1]!;
    // A gateway learns twice a second what the other one has stored.
    const send = async () => {
      const answers = await Promise.all([one.call('echo', { body }), two.call('echo', { body })]);
      return answers.find(({ status: code }) => code !== 202);
    };
    const refused = await eventually(send, { intervalMs: 100 });
    expect(refused).toMatchObject({ status: 503, code: 'queue_full', headers: { 'retry-after': '10' } });
    const operator = new Operator(stack.gateway.url);
    const { body: queue } = await operator.ask('GET', '/queues/default');
    expect(queue).toMatchObject({ maxBytes: 1024 * 1024 });
    expect(Number(queue['bytes'])).toBeLessThan(1.5 * 1024 * 1024);

    await stack.startWorker();
    await eventually(async () => (await one.call('echo', { body })).status === 202);
    await stack.untilSettled();
  });

  test('answers 429 for a function with the largest permitted backlog', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({
      functions: { few: { url: fn.url, maxPending: 5 }, many: fn.url },
      workers: 0,
    });
    await using client = new ApiClient(stack.gateway.url);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call('few')));
    expect(answers.filter(({ status: code }) => code === 202)).toHaveLength(5);
    expect(answers.find(({ status: code }) => code !== 202)).toMatchObject({
      status: 429,
      code: 'too_many_pending',
      headers: { 'retry-after': '5' },
    });
    await client.acceptMany('many', 20);
    await stack.startWorker();
    await stack.untilSettled();
    await client.accept('few');
  });
});

describe('a paused function', () => {
  test('keeps its calls waiting over restarts of gateway and worker, lets those in flight finish, and goes on when resumed', async () => {
    const held = gate();
    await using fn = await startTestFunction({ handler: held.handler });
    await using other = await startTestFunction();
    await using stack = await startStack({ functions: { held: fn.url, other: other.url } });
    const operator = new Operator(stack.gateway.url);
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('held');
    await fn.waitForInvocations(1);
    expect(await operator.ask('POST', '/functions/held/pause')).toMatchObject({ status: 200, body: { paused: true } });
    await client.acceptMany('held', 10);
    held.open();
    await eventually(async () => (await operator.ask('GET', '/scaling/held')).body['inFlight'] === 0);
    expect(fn.invocations.length).toBe(1);

    await stack.worker.stop();
    await stack.nats.restart();
    await stack.startWorker();
    await eventually(async () => (await client.call('other')).status === 202);
    await other.waitForInvocations(1);
    // The worker works, and has had time to reconcile.
    await sleepMs(6_000);
    expect(fn.invocations.length).toBe(1);
    expect(await operator.ask('GET', '/scaling/held')).toMatchObject({ body: { pending: 10, inFlight: 0 } });
    expect((await operator.show('held')).body).toMatchObject({ paused: true });

    expect(await operator.ask('POST', '/functions/held/resume')).toMatchObject({
      status: 200,
      body: { paused: false },
    });
    await fn.waitForInvocations(11);
    await stack.untilSettled();
  });
});

test('the scaling signal, the queue and the metric of a worker report the same, exactly', async () => {
  await using fn = await startTestFunction({ handler: sleep(60_000) });
  await using stack = await startStack({
    functions: { slow: { url: fn.url, concurrency: 2 }, calm: fn.url },
    workerEnv: { SHUTDOWN_TIMEOUT: '1s' },
  });
  const operator = new Operator(stack.gateway.url);
  await using client = new ApiClient(stack.gateway.url);
  const scaling = async (name: string) => (await operator.ask('GET', `/scaling/${name}`)).body;
  expect(await scaling('calm')).toEqual({ pending: 0, inFlight: 0, oldestAgeSeconds: 0 });
  expect(await operator.ask('GET', '/scaling/unknown')).toMatchObject({
    status: 404,
    body: { code: 'unknown_function' },
  });
  await client.acceptMany('slow', 30);
  await fn.waitForInvocations(2);
  const load = await scaling('slow');
  expect(load).toMatchObject({ pending: 28, inFlight: 2 });
  expect(load['oldestAgeSeconds']).toBeGreaterThan(0);
  expect((await operator.ask('GET', '/queues/default')).body).toMatchObject({
    depth: 28,
    inFlight: 2,
    scheduled: 0,
    functions: expect.arrayContaining([{ function: 'slow', depth: 28, inFlight: 2, paused: false }]),
  });
  const { body } = await stack.worker.ops('/metrics');
  expect(body).toContain('queue_worker_pending_messages{queue_name="default",function_name="slow"} 28');
  expect(body).toContain('queue_worker_pending_messages{queue_name="default",function_name="calm"} 0');
});

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
