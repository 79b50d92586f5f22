import { setTimeout as sleep } from 'node:timers/promises';
import { AsyncfnClient, type CallReceipt } from '@asyncfn/client';
import { createRandom, eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from '../harness/stack.ts';

const kills = 100;
/** Callers at once. */
const callers = 4;
/** Gateways that are being started while one is used: most of the time goes into that. */
const spares = 2;
const oftenMs = { timeoutMs: 120_000, intervalMs: 1 };

test('a call stays one call while its gateway is killed in the middle of a POST, a hundred times', async () => {
  const random = createRandom(20_261_130);
  await using target = await startTestFunction();
  await using stack = await startStack({ functions: { target: target.url }, gateways: 0, natsSyncInterval: 'always' });
  const starting = Array.from({ length: spares }, () => stack.startGateway());
  const next = async () => {
    starting.push(stack.startGateway());
    return await starting.shift()!;
  };
  let gateway = await next();

  /** POSTs that were sent to the present gateway and not answered, and those that broke. */
  let inFlight = 0;
  let broken = 0;
  let answered = 0;
  /** How long the last answer took. */
  let tookMs = 0;
  const sending: typeof fetch = async (input, init) => {
    inFlight++;
    const startedAt = performance.now();
    try {
      const response = await fetch(`${gateway.url}${pathOf(input)}`, init);
      tookMs = performance.now() - startedAt;
      answered++;
      return response;
    } catch (error) {
      broken++;
      throw error;
    } finally {
      inFlight--;
    }
  };
  const retry = { attempts: 1_000, minWaitMs: 20, maxWaitMs: 200, maxElapsedMs: 600_000 };
  const client = new AsyncfnClient({ url: 'http://gateway.example', fetch: sending, retry });

  const receipts = new Map<string, CallReceipt>();
  let isOver = false;
  const call = async (caller: number): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const body = `${caller}-${n}`;
      receipts.set(body, await client.call('target', body));
    }
  };
  const calling = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));

  for (let hits = 0; hits < kills; ) {
    const calls = answered;
    await eventually(() => answered > calls + callers, oftenMs);
    // At any moment of a POST, so that some calls are stored and not answered.
    await sleep(random() * tookMs);
    await eventually(() => inFlight > 0, oftenMs);
    const [open, before, killed] = [inFlight, broken, gateway];
    gateway.kill('SIGKILL');
    gateway = await next();
    await killed.exited;
    hits += open > 0 && broken > before ? 1 : 0;
  }
  isOver = true;
  await Promise.all([calling, ...starting]);

  // A second call of any of them would be invoked before this one.
  const last = await client.call('target', 'last');
  expect(await client.wait(last.callId)).toMatchObject({ status: 'succeeded' });
  await eventually(() => target.invocations.length > receipts.size);
  const invoked = target.invocations.map(({ body, callId }) => `${body} ${callId}`);
  const made = Array.from(receipts, ([body, { callId }]) => `${body} ${callId}`);
  expect(invoked.sort()).toEqual([...made, `last ${last.callId}`].sort());
  // Some were stored by a gateway that died before it could say so: without their keys they would be two.
  const repeated = Array.from(receipts.values()).filter(({ replayed }) => replayed);
  expect(repeated.length).toBeGreaterThan(0);
}, 1_200_000);

function pathOf(input: Parameters<typeof fetch>[0]): string {
  return new URL(input instanceof Request ? input.url : input).pathname;
}
