import type {} from '@asyncfn/nats-server/vitest';
import { type Call, emptyBody, keyOf, type Outcome, toNextCall } from '@asyncfn/queue-core';
import { BodyStore, createCallControl, StepQueue } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { eventually, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { HandOn } from '../src/chain/hand-on.ts';
import { type SettlingBench, startBench } from './settling-bench.ts';

let fn: TestFunction;
let bench: SettlingBench;
/** The functions of the steps, in order. */
let results: string[];

beforeAll(async () => {
  fn = await startTestFunction({ handler: (_, response) => void response.end('result') });
});

afterAll(() => fn.close());

beforeEach(async () => {
  bench = await startBench({ natsUrl: inject('natsUrl'), functionUrl: fn.url });
  results = [];
});

afterEach(() => bench[Symbol.asyncDispose]());

/** The queue of the next step, not that of the call. */
function nextQueue(): string {
  return `${bench.lane.queue}-next`;
}

function putChain(changes: Partial<Call> = {}): Promise<Call> {
  const step = { function: bench.lane.function, queue: nextQueue(), path: '/next', query: 'a=b' };
  return bench.put({ steps: [step], ...changes });
}

/** Hands on like a worker, but with steps that do not wait before they are retried. */
function createHandOn(): HandOn {
  const { topology, publisher, callbackStore: store, store: calls, broker, budgets } = bench;
  return new HandOn({
    bodies: new BodyStore({ broker, topology, publisher }),
    steps: new StepQueue({ topology, publisher, lookup: () => undefined }),
    store,
    calls,
    register: { lookup: () => undefined },
    budget: budgets.callbacks,
    events: { accepted() {} },
    metrics: { chainStep: (_, result) => void results.push(result) },
    logger: createLogger({ name: 'test', level: 'silent', format: 'json' }),
    publishRetry: { connected: () => true, signal: bench.cutShort.signal },
    onStep: () => {},
    now: () => Date.now() - 5_000,
    random: () => 0.5,
  });
}

/** The outcome of the call, once it has one. */
async function outcomeOf(call: Call): Promise<Outcome> {
  const found = await eventually(() => bench.store.findOutcome(keyOf(call)));
  return found.outcome;
}

/** The next call in its queue. */
async function nextOf(outcome: Outcome): Promise<Call | undefined> {
  const { topology } = bench;
  const state = await topology.manager.streams.getMessage(`CALLS_${nextQueue()}`, {
    last_by_subj: `calls.${nextQueue()}.ready.*.*.${outcome.next?.callId}.*.*`,
  });
  return state === null ? undefined : (JSON.parse(state.header.get('Asyncfn-Call')) as Call);
}

function openQueue(): Promise<void> {
  return bench.topology.ensureFunction({ name: bench.lane.function, queue: nextQueue(), concurrency: undefined });
}

/** The next queue stores nothing from now on: its stream has been deleted, and this process does not know. */
async function loseQueue(): Promise<void> {
  await openQueue();
  await bench.topology.manager.streams.delete(`CALLS_${nextQueue()}`);
}

function control() {
  const { broker, topology, publisher, store: calls, flows } = bench;
  return createCallControl({ broker, topology, publisher, calls, flows, resultTtlMs: 60_000, maxRetries: () => 3 });
}

describe('a call with a step left', () => {
  test('leaves its queue with its result in the queue of the next function', async () => {
    const call = await putChain({ callbackUrl: 'http://127.0.0.1:9/', headers: [['X-Own', 'of the caller']] });
    await bench.run(await bench.take());
    const outcome = await outcomeOf(call);
    expect(outcome).toMatchObject({ status: 'succeeded', next: { function: bench.lane.function, queue: nextQueue() } });
    expect(outcome).not.toHaveProperty('callbackUrl');
    const next = await nextOf(outcome);
    expect(next).toMatchObject({ parentId: call.id, rootId: call.id, chainDepth: 1, path: '/next', query: 'a=b' });
    expect(next?.headers).toEqual([]);
    expect(next).not.toHaveProperty('steps');
    expect(await bench.queued()).toBe(0);
  });

  test('that is delivered once more makes no second step, even if the first has ended', async () => {
    const call = await putChain();
    const delivery = await bench.take();
    await bench.run(delivery);
    const outcome = await outcomeOf(call);
    await bench.topology.manager.streams.purge(`CALLS_${nextQueue()}`, { filter: `calls.${nextQueue()}.ready.>` });
    expect(await createHandOn().handOn(call, outcome, outcome.next!, Buffer.from('result'))).toBe(true);
    expect(results).toEqual(['known']);
    expect(await nextOf(outcome)).toBeUndefined();
  });

  test('leaves its queue if that of the next function stores nothing, and the step is stored later', async () => {
    await loseQueue();
    const call = await putChain();
    await bench.run(await bench.take());
    const outcome = await outcomeOf(call);
    expect(await bench.queued()).toBe(0);
    expect(await bench.callbackStore.find(keyOf(call))).toMatchObject({ url: '', nextCall: expect.any(String) });
    expect(bench.logged).toContain('step of a chain cannot be stored yet, and waits');
    bench.deliverStored();
    const next = await eventually(() => nextOf(outcome));
    expect(next.parentId).toBe(call.id);
    await eventually(async () => (await bench.callbackStore.find(keyOf(call))) === undefined);
    expect(await createHandOn().handOn(call, outcome, outcome.next!, Buffer.from('result'))).toBe(true);
    expect(results).toEqual(['known']);
  });
});

describe('a chain that is cancelled', () => {
  /** A call that has ended, and whose step is not stored yet. */
  async function endWithoutStep(): Promise<{ call: Call; outcome: Outcome }> {
    await loseQueue();
    const call = await putChain();
    await bench.run(await bench.take());
    await openQueue();
    return { call, outcome: await outcomeOf(call) };
  }

  test('before its step is stored has that step cancelled, whenever the worker comes to it', async () => {
    const { call, outcome } = await endWithoutStep();
    const { chains } = control();
    const cancelled = await chains.cancel({ callId: call.id });
    const expected = { callId: outcome.next?.callId, status: 'cancelled', rootId: call.id, parentId: call.id };
    expect(cancelled).toMatchObject({ kind: 'cancelled', call: { outcome: expected } });
    expect(await createHandOn().handOn(call, outcome, outcome.next!, emptyBody)).toBe(true);
    expect(results).toEqual(['cancelled']);
    expect(await nextOf(outcome)).toBeUndefined();
    expect(await chains.cancel({ callId: call.id })).toMatchObject({
      kind: 'ended',
      call: { outcome: { callId: call.id } },
    });
  });

  test('by a gateway that dies before it has recorded that gets its end from the worker', async () => {
    const { call, outcome } = await endWithoutStep();
    const { topology, publisher } = bench;
    const steps = new StepQueue({ topology, publisher, lookup: () => undefined });
    const next = toNextCall(call, outcome, outcome.next!, emptyBody);
    const identity = { callId: next.id, startTime: next.startTime };
    expect(await steps.cancel({ ...identity, queue: nextQueue() })).toEqual({ kind: 'cancelled' });
    expect(await bench.store.findOutcome(keyOf(next))).toBeUndefined();
    expect(await createHandOn().handOn(call, outcome, outcome.next!, emptyBody)).toBe(true);
    expect((await bench.store.findOutcome(keyOf(next)))?.outcome).toMatchObject({ status: 'cancelled' });
  });

  test('after its step is stored has the step cancelled in its queue', async () => {
    const call = await putChain();
    await bench.run(await bench.take());
    const outcome = await outcomeOf(call);
    const { chains, finder } = control();
    expect(await chains.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    expect(await nextOf(outcome)).toBeUndefined();
    expect(await finder.find({ callId: outcome.next!.callId })).toMatchObject({ kind: 'ended' });
  });
});
