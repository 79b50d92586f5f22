import { rm } from 'node:fs/promises';
import { startNatsServer } from '@asyncfn/nats-server';
import { ApiClient, type AppProcess, type Stack } from '@asyncfn/stack';
import { echo, eventually, freePort, gate, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startStack } from './harness/stack.ts';

/** As a caller may see it on a machine that stands still for seconds; without a limit, it would wait for ever. */
const refusalMs = 30_000;

let fn: TestFunction;
/** For the tests after which everything works again. */
let stack: Stack;
let client: ApiClient;

beforeAll(async () => {
  fn = await startTestFunction();
  // A short lease: calls that the broker has sent to a paused worker come again once it is over.
  stack = await startStack({ functions: { echo: fn.url }, workerEnv: { ACK_WAIT: '5s' } });
  client = new ApiClient(stack.gateway.url);
});

beforeEach(() => {
  fn.handler = echo;
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
});

/**
 * Each call is refused, with `Retry-After`: the first one after a time limit at the latest, the next ones without asking
 * the broker.
 */
async function expectRefusals(client: ApiClient): Promise<void> {
  for (let n = 0; n < 11; n += 1) {
    const { status, code, headers, tookMs } = await client.call('echo');
    expect(status).toBe(503);
    expect(code).toMatch(n === 0 ? /^broker_(unavailable|timeout)$/ : /^broker_unavailable$/);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(tookMs).toBeLessThan(refusalMs);
  }
}

/** Probes are answered at once: not ready, but alive. */
async function expectProbes(app: AppProcess, ready: 200 | 503): Promise<void> {
  const probes = await Promise.all([app.ops('/readyz'), app.ops('/livez')]);
  expect(probes.map(({ status }) => status)).toEqual([ready, 200]);
  expect(Math.max(...probes.map(({ tookMs }) => tookMs))).toBeLessThan(refusalMs);
}

/** Calls pass through all of it again, without a restart of a gateway or a worker. */
async function expectWorks({ gateway, worker }: Stack, client: ApiClient, fn: { countBy(id: string): number }) {
  await gateway.untilReady();
  await worker.untilReady();
  const callId = await client.accept('echo');
  await eventually(() => fn.countBy(callId) === 1, { message: 'a call is not invoked' });
}

describe('while nats-server is stopped', () => {
  test('calls are refused fast; once it is back everything works, and the backlog is processed', async () => {
    await expectProbes(stack.gateway, 200);
    await expectProbes(stack.worker, 200);
    await stack.worker.pause();
    const backlog = await client.acceptMany('echo', 100);
    await stack.haltNats();
    stack.worker.kill('SIGCONT');

    await expectRefusals(client);
    await expectProbes(stack.gateway, 503);
    await eventually(async () => (await stack.worker.ops('/readyz')).status === 503);
    await expectProbes(stack.worker, 503);

    await stack.nats.restart();
    await expectWorks(stack, client, fn);
    await eventually(() => backlog.every((callId) => fn.countBy(callId) > 0));
    await stack.untilSettled();
    await expectProbes(stack.gateway, 200);
    await expectProbes(stack.worker, 200);
  });

  test('calls in flight finish, and are invoked once if it is back before their leases end', async () => {
    await using fn = await startTestFunction();
    let answer = (): void => {};
    const opened = new Promise<void>((resolve) => {
      answer = resolve;
    });
    fn.handler = async (_, response) => {
      await opened;
      response.end();
    };
    await using stack = await startStack({ functions: { echo: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('echo', 50);
    await fn.waitForInvocations(callIds.length);
    await stack.haltNats();
    await stack.worker.untilLogged('NATS connection lost');
    answer();
    await eventually(() => stack.worker.logged('function invoked').length === callIds.length);
    await stack.nats.restart();
    await stack.untilSettled();

    expect(fn.invocations).toHaveLength(callIds.length);
  });
});

describe('an outage of nats-server that is longer than ACK_WAIT', () => {
  const ackWaitMs = 1_000;

  test.for(['SIGTERM', 'SIGKILL'] as const)('by %s lets the calls in flight finish, invoked once', async (signal) => {
    const held = gate();
    await using fn = await startTestFunction(held);
    await using stack = await startStack({ functions: { slow: fn.url }, workerEnv: { ACK_WAIT: `${ackWaitMs}ms` } });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('slow', 20);
    await fn.waitForInvocations(callIds.length);
    stack.nats.signal(signal);
    await stack.nats.exited;
    const goneAt = performance.now();
    await eventually(() => performance.now() - goneAt > 2 * ackWaitMs);
    await stack.nats.restart();
    await stack.gateway.untilReady();
    await stack.worker.untilReady();
    // One more call comes through: by then the broker has had the time to deliver the others again.
    const later = await client.accept('slow');
    await eventually(() => fn.countBy(later) === 1);
    held.open();
    await stack.untilSettled();

    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
  });
});

describe('while nats-server hangs', () => {
  test('calls are refused, the first within its time limit; once it resumes everything works', async () => {
    await expectWorks(stack, client, fn);
    await stack.nats.pause();

    await expectRefusals(client);
    await expectProbes(stack.gateway, 503);
    expect((await stack.worker.ops('/livez')).tookMs).toBeLessThan(refusalMs);

    stack.nats.signal('SIGCONT');
    await expectWorks(stack, client, fn);
  });
});

describe('when the stream of a queue is deleted', () => {
  test('it is created again, and later calls are processed', async () => {
    await expectWorks(stack, client, fn);
    const before = stack.worker.logs.length;
    await stack.deleteStream('CALLS_default');
    // The worker learns it from its request at the consumer, or from its next check.
    const said = /^lane could not be restored yet|stream is gone/;
    const line = await eventually(() => stack.worker.logs.slice(before).find(({ msg }) => said.test(msg)), {
      timeoutMs: 60_000,
    });
    const fields = Object.keys(line).toSorted((x, y) => x.localeCompare(y));
    const ofLane = ['err', 'function', 'level', 'msg', 'name', 'queue', 'time'];
    const ofStream = ['held', 'level', 'msg', 'name', 'stream', 'time'];
    expect([ofLane, ofStream]).toContainEqual(fields);
    await eventually(async () => (await client.call('echo')).status === 202);

    await expectWorks(stack, client, fn);
  });
});

describe('when nats-server comes back', () => {
  test('empty, streams and consumers are created again', async () => {
    await expectWorks(stack, client, fn);
    await stack.haltNats();
    await rm(stack.nats.storeDir, { recursive: true });
    await stack.nats.restart();

    await expectWorks(stack, client, fn);
  });

  test('after a crash, everything that it had confirmed is processed', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url }, workers: 0 });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('echo', 200);
    await stack.nats.restart({ signal: 'SIGKILL' });
    await stack.startWorker();
    await fn.waitForInvocations(callIds.length);
    await stack.untilSettled();

    expect(callIds.filter((callId) => fn.countBy(callId) !== 1)).toEqual([]);
  });
});

describe('before nats-server is started', () => {
  test('gateway and worker start, answer probes, refuse calls, and work as soon as it is up', async () => {
    await using fn = await startTestFunction();
    // Its port is known before it starts.
    const port = await freePort();
    await using stack = await startStack({
      functions: { echo: fn.url },
      gateways: 0,
      workers: 0,
      env: { NATS_URL: `nats://127.0.0.1:${port}` },
    });
    const [gateway, worker] = await Promise.all([stack.spawn('gateway'), stack.spawn('worker')]);
    await Promise.all([gateway.untilListening(), worker.untilListening()]);
    await expectProbes(gateway, 503);
    await expectProbes(worker, 503);
    await using client = new ApiClient(gateway.url);
    await expectRefusals(client);

    await using _ = await startNatsServer({ bin: inject('natsServerBin'), port });
    await expectWorks(stack, client, fn);
  });
});
