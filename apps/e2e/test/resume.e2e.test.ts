import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operateBroker } from './harness/broker/jetstream.ts';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

/**
 * More than a busy machine takes. The normal case is under 500 ms (docs/dispatch.md); a request for a first call that was
 * not woken stays at the broker for 15 s.
 */
const soonMs = 12_000;
/** A change is live in every process within this time, in milliseconds. */
const liveMs = 2_000;
/** Ages of the waiting requests when their calls may be handed out, in milliseconds. */
const ages = [0, 700, 3_000, 7_000, 11_000];

let stack: Stack;
let client: ApiClient;
let operator: Operator;
let registered = 0;
const functions: TestFunction[] = [];

beforeAll(async () => {
  stack = await startStack({ functions: {}, gateways: 2, workers: 2 });
  client = new ApiClient(stack.gateway.url);
  operator = new Operator(stack.gateway.url);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await Promise.all(functions.map((fn) => fn[Symbol.asyncDispose]()));
});

interface Registered {
  readonly name: string;
  readonly url: string;
  readonly fn: TestFunction;
}

/** A function of the round's own. */
async function register(settings: object = {}, handler?: ReturnType<typeof gate>['handler']): Promise<Registered> {
  const fn = await startTestFunction(handler === undefined ? {} : { handler });
  functions.push(fn);
  registered += 1;
  const name = `fn-${registered}`;
  expect(await operator.register(name, { url: fn.url, ...settings })).toMatchObject({ status: 201 });
  return { name, url: fn.url, fn };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The time from the beginning of the change until the function was invoked so often. */
async function timeTo({ fn }: Registered, invocations: number, change: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await change();
  await fn.waitForInvocations(invocations);
  return Math.round(performance.now() - startedAt);
}

function change(name: string, what: 'pause' | 'resume') {
  return operator.ask('POST', `/functions/${name}/${what}`);
}

// They wait more than they work, so they wait together.
describe.concurrent('waiting calls are handed out at once when', () => {
  test('their function is resumed, called before or not, whenever the waiting request was made', async () => {
    const took = await Promise.all(
      [...ages, ...ages].map(async (ageMs, index) => {
        const target = await register();
        const calledBefore = index < ages.length ? 0 : 1;
        if (calledBefore > 0) {
          await timeTo(target, 1, () => client.accept(target.name));
        }
        await sleep(ageMs);
        await change(target.name, 'pause');
        await client.acceptMany(target.name, 3);
        return timeTo(target, calledBefore + 3, () => change(target.name, 'resume'));
      }),
    );
    expect(Math.max(...took)).toBeLessThan(soonMs);
  });

  test('their consumer is resumed at the broker, or its pause there ends', async () => {
    await using broker = await operateBroker(stack.nats.url);
    const { consumers } = broker.manager;
    const pauseMs = 1_500;
    const registerWithConsumer = async () => {
      const target = await register();
      await eventually(() => consumers.info('CALLS_default', target.name).catch(() => undefined));
      return target;
    };
    const took = await Promise.all(
      ages.flatMap((ageMs) => [
        (async () => {
          const target = await registerWithConsumer();
          await sleep(ageMs);
          await consumers.pause('CALLS_default', target.name, new Date(Date.now() + 3_600_000));
          await client.acceptMany(target.name, 3);
          return timeTo(target, 3, () => consumers.resume('CALLS_default', target.name));
        })(),
        (async () => {
          const target = await registerWithConsumer();
          await sleep(ageMs);
          const pause = () => consumers.pause('CALLS_default', target.name, new Date(Date.now() + pauseMs));
          const whole = await timeTo(target, 3, () => pause().then(() => client.acceptMany(target.name, 3)));
          return whole - pauseMs;
        })(),
      ]),
    );
    expect(Math.max(...took)).toBeLessThan(soonMs);
  });

  test('their function may run more of them at once, or as many as there are', async () => {
    const took = await Promise.all(
      ages.map(async (ageMs) => {
        const held = gate();
        const target = await register({ concurrency: 1 }, held.handler);
        await client.acceptMany(target.name, 6);
        await target.fn.waitForInvocations(1);
        await sleep(ageMs);
        expect(target.fn.invocations).toHaveLength(1);
        const raise = () => operator.register(target.name, { url: target.url, concurrency: 3 });
        const raised = await timeTo(target, 3, raise);
        await sleep(200);
        expect(target.fn.invocations).toHaveLength(3);
        const removed = await timeTo(target, 6, () => operator.register(target.name, { url: target.url }));
        held.open();
        return Math.max(raised, removed);
      }),
    );
    expect(Math.max(...took)).toBeLessThan(soonMs);
  });

  test('their function has moved to another queue and back', async () => {
    const took = await Promise.all(
      ages.map(async (ageMs) => {
        const target = await register();
        const moveTo = (queue: string) => operator.register(target.name, { url: target.url, queue });
        const before = await timeTo(target, 1, () => client.accept(target.name));
        await moveTo('elsewhere');
        const moved = await timeTo(target, 2, () => client.accept(target.name));
        await sleep(ageMs);
        await change(target.name, 'pause');
        await client.accept(target.name);
        await moveTo('default');
        await client.acceptMany(target.name, 2);
        const resumed = await timeTo(target, 5, () => change(target.name, 'resume'));
        return Math.max(before, moved, resumed);
      }),
    );
    expect(Math.max(...took)).toBeLessThan(soonMs);
  });

  test('their function is registered again', async () => {
    const took = await Promise.all(
      ages.map(async (ageMs) => {
        const target = await register();
        await client.accept(target.name);
        await target.fn.waitForInvocations(1);
        await sleep(ageMs);
        await eventually(async () => (await operator.ask('DELETE', `/functions/${target.name}`)).status === 204);
        await sleep(ageMs / 4);
        return timeTo(target, 4, async () => {
          await operator.register(target.name, { url: target.url });
          await client.acceptMany(target.name, 3);
        });
      }),
    );
    expect(Math.max(...took)).toBeLessThan(soonMs);
  });

  test('their consumer was deleted, and is created again', async () => {
    await using broker = await operateBroker(stack.nats.url);
    const took = await Promise.all(
      ages.map(async (ageMs) => {
        const held = gate();
        const target = await register({ concurrency: 2 }, held.handler);
        await sleep(ageMs);
        await client.acceptMany(target.name, 6);
        await target.fn.waitForInvocations(2);
        await broker.manager.consumers.delete('CALLS_default', target.name);
        return timeTo(target, 6, () => Promise.resolve(held.open()));
      }),
    );
    expect(Math.max(...took)).toBeLessThan(soonMs);
  });
});

test('calls of a paused function are not invoked when its consumer is resumed at the broker, and are when it is resumed', async () => {
  await using broker = await operateBroker(stack.nats.url);
  const { consumers } = broker.manager;
  const targets = await Promise.all(Array.from({ length: 5 }, () => register()));
  for (const target of targets) {
    await timeTo(target, 1, () => client.accept(target.name));
    await change(target.name, 'pause');
  }
  await sleep(liveMs);
  for (const target of targets) {
    await consumers.resume('CALLS_default', target.name);
    // Handed out to the requests that have waited since before the pause.
    await client.acceptMany(target.name, 10);
    await eventually(async () => (await consumers.info('CALLS_default', target.name)).paused === true);
    expect(target.fn.invocations).toHaveLength(1);
    expect(await timeTo(target, 11, () => change(target.name, 'resume'))).toBeLessThan(soonMs);
    await stack.untilSettled();
    expect(target.fn.invocations).toHaveLength(11);
  }
});

test('calls that wait for a function that is gone are handed out at once when it is registered again', async () => {
  const targets = await Promise.all(
    ages.map(async (_, index) => {
      const fn = await startTestFunction();
      functions.push(fn);
      return { name: `gone-${index}`, url: fn.url, fn };
    }),
  );
  const answers = () => Promise.all(targets.map(async ({ name }) => (await operator.show(name)).status));
  await stack.writeFunctions(Object.fromEntries(targets.map(({ name, url }) => [name, url])));
  await eventually(async () => (await answers()).every((each) => each === 200));
  for (const target of targets) {
    await timeTo(target, 1, () => client.accept(target.name));
    await change(target.name, 'pause');
    await client.acceptMany(target.name, 3);
  }
  await stack.writeFunctions({});
  await eventually(async () => (await answers()).every((each) => each === 404));
  const took = await Promise.all(
    targets.map(async (target, index) => {
      await sleep(ages[index] ?? 0);
      expect(target.fn.invocations).toHaveLength(1);
      return timeTo(target, 4, () => operator.register(target.name, { url: target.url }));
    }),
  );
  expect(Math.max(...took)).toBeLessThan(soonMs);
});

test('a limit of waiting calls that is raised at one gateway applies at once at the other', async () => {
  const target = await register({ maxPending: 2 });
  await change(target.name, 'pause');
  await using other = new ApiClient(stack.gateways[1]!.url);
  const took: number[] = [];
  for (let limit = 3; limit <= 8; limit++) {
    await eventually(async () => (await other.call(target.name)).status === 429);
    const startedAt = performance.now();
    await operator.register(target.name, { url: target.url, maxPending: limit });
    await eventually(async () => (await other.call(target.name)).status === 202, { intervalMs: 5 });
    took.push(Math.round(performance.now() - startedAt));
  }
  expect(Math.max(...took)).toBeLessThan(soonMs);
});

test('calls of a function that was paused over the restart of the workers are handed out at once when it is resumed', async () => {
  const targets = await Promise.all(ages.map(() => register()));
  for (const { name } of targets) {
    await change(name, 'pause');
    await client.acceptMany(name, 2);
  }
  for (const worker of [...stack.workers]) {
    await worker.stop();
  }
  await Promise.all([stack.startWorker(), stack.startWorker()]);
  const took = await Promise.all(
    targets.map(async (target, index) => {
      await sleep(ages[index] ?? 0);
      expect(target.fn.invocations).toHaveLength(0);
      return timeTo(target, 2, () => change(target.name, 'resume'));
    }),
  );
  expect(Math.max(...took)).toBeLessThan(soonMs);
});
