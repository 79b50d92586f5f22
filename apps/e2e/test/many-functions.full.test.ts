import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, sleep, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { percentile } from './harness/timing.ts';

const idleNames = Array.from({ length: 499 }, (_, index) => `f${index}`);
const samples = 80;
/** Messages to the broker for each second, and cores that the worker uses. */
const most = { messages: 200, cpu: 0.15 };

describe('500 functions on one worker', () => {
  test('cost next to nothing while they are idle', async () => {
    await using fn = await startTestFunction();
    await using stack = await startMany(fn, fn);
    await eventually(async () => (await usage(stack, 1_000)).messages < most.messages);
    // As long as a request for a first call stays at the broker: each is renewed once.
    const { messages, cpu } = await usage(stack, 15_000);
    expect(messages).toBeLessThan(most.messages);
    expect(cpu).toBeLessThan(most.cpu);
  });

  test('start their first calls as fast as ever while one of them has a burst', async () => {
    const calls = 2_000;
    await using fn = await startTestFunction();
    await using busy = await startTestFunction({ handler: sleep(2_000), keepBodies: false });
    await using stack = await startMany(fn, busy);
    await using client = new ApiClient(stack.gateway.url, 64);
    const quiet = await startLatencies(client, fn, idleNames.slice(0, samples));
    await client.acceptMany('busy', calls);
    await eventually(() => busy.maxInFlight >= 90);
    const during = await startLatencies(client, fn, idleNames.slice(samples, 2 * samples));
    expect(busy.invocations.length).toBeLessThan(calls);
    // Behind the burst of 2,000 calls with 100 slots they would wait for 40 s.
    expect(percentile(during, 0.5)).toBeLessThan(3 * percentile(quiet, 0.5) + 2_000);
  });
});

async function startMany(idle: TestFunction, busy: TestFunction): Promise<Stack> {
  const functions = Object.fromEntries([['busy', busy.url], ...idleNames.map((name) => [name, idle.url])]);
  const stack = await startStack({ functions, workerEnv: { MAX_INFLIGHT: '100' } });
  await eventually(async () => (await broker(stack, 'jsz')).consumers >= 500);
  return stack;
}

/** From the request to enqueue a call to its invocation, one function after the other. */
async function startLatencies(client: ApiClient, fn: TestFunction, names: readonly string[]): Promise<number[]> {
  const latencies: number[] = [];
  for (const name of names) {
    const startedAt = performance.now();
    const callId = await client.accept(name);
    await eventually(() => fn.countBy(callId) > 0);
    latencies.push((fn.byCallId(callId)[0]?.at ?? Number.NaN) - startedAt);
  }
  return latencies;
}

/** The mean over so many milliseconds: messages to the broker for each second, and cores that the worker uses. */
async function usage(stack: Stack, forMs: number) {
  const count = async () => ({
    seconds: performance.now() / 1_000,
    messages: (await broker(stack, 'varz')).in_msgs,
    cpuSeconds: await stack.worker.metric('process_cpu_seconds_total'),
  });
  const before = await count();
  await sleepMs(forMs);
  const after = await count();
  const seconds = after.seconds - before.seconds;
  return {
    messages: (after.messages - before.messages) / seconds,
    cpu: (after.cpuSeconds - before.cpuSeconds) / seconds,
  };
}

/** The figures of nats-server (https://docs.nats.io/running-a-nats-service/nats_admin/monitoring). */
async function broker(stack: Stack, path: 'varz' | 'jsz'): Promise<{ in_msgs: number; consumers: number }> {
  const response = await fetch(`${stack.nats.monitorUrl}/${path}`);
  return (await response.json()) as { in_msgs: number; consumers: number };
}

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
