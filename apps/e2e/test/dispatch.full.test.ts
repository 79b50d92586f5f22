import { type AppProcess, fillQueues } from '@asyncfn/stack';
import { eventually, jainIndex, Occupancy, sleep, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { operateBroker } from './harness/broker/jetstream.ts';
import { startStack } from './harness/stack.ts';

describe('1,500 calls of 200 ms at a function that takes 50 at once', () => {
  const calls = 1_500;

  async function burnDown(settings: object) {
    const occupancy = new Occupancy();
    await using fn = await startTestFunction({ handler: occupancy.follow(sleep(200), () => 50), keepBodies: false });
    await using stack = await startStack({ functions: { sleepy: { url: fn.url, ...settings } }, workers: 0 });
    await fillQueues(stack, { sleepy: calls });
    await stack.startWorker({ MAX_INFLIGHT: '100' });
    await eventually(() => fn.invocations.length - occupancy.refused === calls && occupancy.count === 0, {
      timeoutMs: 100_000,
    });
    await stack.untilSettled();
    const { from, to } = occupancy.span;
    const attempts = Math.max(...fn.invocations.map(({ headers }) => Number(headers['x-retry'])));
    return { tookMs: to - from, refused: occupancy.refused / fn.invocations.length, attempts };
  }

  test('are done in little more than the ideal time, and few are rejected', async () => {
    // The ideal needs the capacity in advance. 6 s if the machine does nothing else.
    const ideal = await burnDown({ adaptive: false, concurrency: 50 });
    expect(ideal.refused).toBe(0);
    const run = await burnDown({ adaptive: true });
    // 1.15 and 3 % on a machine that does nothing else.
    expect(run.tookMs / ideal.tookMs).toBeLessThan(4);
    expect(run.refused).toBeLessThan(0.09);
    expect(run.attempts).toBeLessThanOrEqual(5);
  });

  test('without a limiter, many are rejected', async () => {
    const run = await burnDown({ adaptive: false, retry: { attempts: 1000, minWait: '1s', maxWait: '12s' } });
    expect(run.refused).toBeGreaterThan(0.1);
  });
});

test('the limit follows a function that takes 10 at once, then 50, then 20', async () => {
  const occupancy = new Occupancy();
  let capacity = 10;
  await using fn = await startTestFunction({
    handler: occupancy.follow(sleep(200), () => capacity),
    keepBodies: false,
  });
  await using stack = await startStack({ functions: { scaled: fn.url }, workers: 0 });
  await fillQueues(stack, { scaled: 3_000 });
  const worker = await stack.startWorker({ MAX_INFLIGHT: '100' });
  const limit = (): Promise<number> => worker.metric('queue_worker_concurrency_limit');
  const within = async (least: number, most: number): Promise<number> => {
    const startedAt = performance.now();
    await eventually(async () => (await limit()) >= least && (await limit()) <= most);
    return performance.now() - startedAt;
  };
  await eventually(() => fn.invocations.length > 0);
  await within(8, 11);
  await sleepMs(2_000);
  capacity = 50;
  const upMs = await within(44, 60);
  await sleepMs(2_000);
  capacity = 20;
  const downMs = await within(14, 22);
  await sleepMs(2_000);
  const refused = occupancy.refused / fn.invocations.length;
  // 2 s and 5 % on a machine that does nothing else.
  expect(upMs).toBeLessThan(30_000);
  expect(downMs).toBeLessThan(30_000);
  expect(refused).toBeLessThan(0.25);
});

describe('a function with a concurrency of 10 and three workers', () => {
  test('has ten calls all the time, and never one more', async () => {
    const occupancy = new Occupancy();
    await using fn = await startTestFunction({ handler: occupancy.follow(sleep(200)), keepBodies: false });
    await using stack = await startStack({ functions: { capped: { url: fn.url, concurrency: 10 } }, workers: 0 });
    await fillQueues(stack, { capped: 600 });
    await Promise.all([stack.startWorker(), stack.startWorker(), stack.startWorker()]);
    await fn.waitForInvocations(600);
    await stack.untilSettled();
    const { from, to } = occupancy.span;
    expect(occupancy.most).toBe(10);
    // 9 and more on a machine that does nothing else.
    expect(occupancy.mean(from + 1_000, to - 500)).toBeGreaterThan(4);
  });

  test('has as many even if its callbacks are slow', async () => {
    const occupancy = new Occupancy();
    await using fn = await startTestFunction({ handler: occupancy.follow(sleep(200)), keepBodies: false });
    await using inbox = await startCallbackReceiver({ respond: sleep(1_000), keepBodies: false });
    await using stack = await startStack({ functions: { capped: { url: fn.url, concurrency: 10 } }, workers: 0 });
    await fillQueues(stack, { capped: 300 }, { callbackUrl: inbox.url });
    await Promise.all([stack.startWorker(), stack.startWorker(), stack.startWorker()]);
    await fn.waitForInvocations(300);
    await inbox.waitForCallbacks(300);
    const { from, to } = occupancy.span;
    expect(occupancy.most).toBe(10);
    // 9 and more on a machine that does nothing else.
    expect(occupancy.mean(from + 1_000, to - 500)).toBeGreaterThan(4);
  });

  test('has no more than the new number once the calls in flight have ended, when the number is changed', async () => {
    const occupancy = new Occupancy();
    await using fn = await startTestFunction({ handler: occupancy.follow(sleep(200)), keepBodies: false });
    await using stack = await startStack({ functions: { capped: { url: fn.url, concurrency: 10 } }, workers: 0 });
    await fillQueues(stack, { capped: 1_500 });
    await Promise.all([stack.startWorker(), stack.startWorker(), stack.startWorker()]);
    await fn.waitForInvocations(100);
    await using broker = await operateBroker(stack.nats.url);
    const { consumers } = broker.manager;
    for (const concurrency of [4, 16, 7]) {
      const before = occupancy.most;
      await stack.writeFunctions({ capped: { url: fn.url, concurrency } });
      // The broker knows it, and the calls beyond it have ended.
      await eventually(async () => {
        const { config, num_ack_pending: pending } = await consumers.info('CALLS_default', 'capped');
        return config.max_ack_pending === concurrency && pending <= concurrency && occupancy.count <= concurrency;
      });
      const from = performance.now();
      await sleepMs(2_000);
      expect(Math.max(...occupancy.means(from, performance.now(), 50))).toBeLessThanOrEqual(concurrency);
      expect(occupancy.most).toBeLessThanOrEqual(Math.max(before, concurrency));
    }
  });
});

test('20 functions of very different durations hold equal shares of the slots', async () => {
  const durations = Array.from({ length: 20 }, (_, index) => Math.round(20 * 1.3 ** index)); // 20 ms to 2.9 s
  const urls = await Promise.all(
    durations.map(async (ms) => {
      const fn = await startTestFunction({ handler: sleep(ms), keepBodies: false });
      onTestFinished(() => fn.close());
      return fn.url;
    }),
  );
  await using stack = await startStack({
    functions: Object.fromEntries(urls.map((url, index) => [`f${index}`, url])),
    workers: 0,
  });
  await fillQueues(stack, Object.fromEntries(urls.map((_, index) => [`f${index}`, 1_500])));
  const worker = await stack.startWorker({ MAX_INFLIGHT: '100' });
  await eventually(async () => (await worker.metric('queue_worker_slots_held')) >= 80);
  await sleepMs(1_000);
  const shares = await sumByFunction(worker, ['queue_worker_slots_held', 'queue_worker_function_invocation_inflight']);
  // First come, first served would be 0.38.
  expect(jainIndex(shares.queue_worker_slots_held)).toBeGreaterThan(0.85);
  // Less those on their way from the broker, which are more on a busy machine.
  expect(jainIndex(shares.queue_worker_function_invocation_inflight)).toBeGreaterThan(0.6);
  await worker[Symbol.asyncDispose]();
});

/** For each gauge the sums of many samples within 4 s, one for each function. */
async function sumByFunction<Name extends string>(worker: AppProcess, names: readonly Name[]) {
  const sums = new Map(names.map((name) => [name, new Map<string, number>()]));
  const until = performance.now() + 4_000;
  while (performance.now() < until) {
    const { body } = await worker.ops('/metrics');
    for (const [name, byFunction] of sums) {
      for (const [, fn = '', value] of body.matchAll(new RegExp(`^${name}{.*function_name="(.*)"} (.*)$`, 'gm'))) {
        byFunction.set(fn, (byFunction.get(fn) ?? 0) + Number(value));
      }
    }
    await sleepMs(20);
  }
  return Object.fromEntries([...sums].map(([name, byFunction]) => [name, [...byFunction.values()]])) as Record<
    Name,
    number[]
  >;
}

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
