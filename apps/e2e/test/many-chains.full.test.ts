import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient, type Stack } from '@asyncfn/stack';
import { type RequestHandler, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const chains = 500;

/** The ids of the calls that each chain has made of one function. */
type Made = Map<string, Set<string>>;

/** Adds its name to its body, and notes which chain has called it with which id. */
function adding(name: string, made: Made): RequestHandler {
  return async ({ body, callId = '' }, response) => {
    const text = body.toString();
    const chain = text.split(' ')[0] ?? '';
    made.set(chain, (made.get(chain) ?? new Set()).add(callId));
    await delay(10 + Math.random() * 40);
    response.end(`${text} ${name}`);
  };
}

/** Kills the older of two workers again and again, and starts another one in its place. Returns how many died. */
async function killWorkers(stack: Stack, signal: AbortSignal): Promise<number> {
  let killed = 0;
  for (; !signal.aborted; killed++) {
    const started = stack.startWorker();
    await delay(200 + Math.random() * 600);
    stack.workers[killed]?.kill('SIGKILL');
    await started;
  }
  return killed;
}

test('500 chains of 3 have 500 ends and each step once, while workers are killed', { timeout: 300_000 }, async () => {
  const [first, second, third]: [Made, Made, Made] = [new Map(), new Map(), new Map()];
  await using one = await startTestFunction({ handler: adding('one', first) });
  await using two = await startTestFunction({ handler: adding('two', second) });
  await using three = await startTestFunction({ handler: adding('three', third) });
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: { one: one.url, two: { url: two.url, queue: 'second' }, three: three.url },
    workers: 2,
    workerEnv: { ACK_WAIT: '1s', MAX_INFLIGHT: '10' },
  });
  await using client = new ApiClient(stack.gateway.url);
  const over = new AbortController();
  const killing = killWorkers(stack, over.signal);
  const roots = await Promise.all(
    Array.from({ length: chains }, (_, number) =>
      client.accept('one', {
        headers: { 'X-Then': 'two,three' },
        body: `${number}`,
        callbackUrl: `${inbox.url}/${number}`,
      }),
    ),
  );
  const toldOf = (number: number) => inbox.callbacks.filter(({ url }) => url === `/${number}`);
  const deadline = performance.now() + 240_000;
  while (new Set(inbox.callbacks.map(({ url }) => url)).size < chains && performance.now() < deadline) {
    await delay(100);
  }
  over.abort();
  expect(await killing).toBeGreaterThan(5);

  for (const [number, root] of roots.entries()) {
    const [ofFirst, ofSecond, ofThird] = [first, second, third].map((made) => [...(made.get(`${number}`) ?? [])]);
    expect(ofFirst).toEqual([root]);
    expect([ofSecond?.length, ofThird?.length]).toEqual([1, 1]);
    const told = toldOf(number).map(({ headers, body }) => [
      headers['x-call-id'],
      headers['x-root-call-id'],
      headers['x-function-status'],
      body.toString(),
    ]);
    expect(new Set(told.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(told[0]).toEqual([ofThird?.[0], root, '200', `${number} one two three`]);
  }
  expect(await stack.untilAudited()).toBe(0);
});
