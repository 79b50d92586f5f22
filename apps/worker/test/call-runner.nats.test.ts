import { setTimeout as delay } from 'node:timers/promises';
import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import {
  type BegunDelivery,
  type Call,
  decodeCall,
  identityOf,
  keyOf,
  type Outcome,
  QueueError,
} from '@asyncfn/queue-core';
import { type Delivery, Handovers } from '@asyncfn/queue-core/jetstream';
import {
  type CallbackReceiver,
  eventually,
  sleep,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { type SettlingBench, startBench } from './settling-bench.ts';

let server: NatsServer;
let fn: TestFunction;
let inbox: CallbackReceiver;
let bench: SettlingBench;

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
});

afterAll(() => server.stop());

beforeEach(async () => {
  fn = await startTestFunction();
  inbox = await startCallbackReceiver();
  bench = await startBench({ natsUrl: server.url, functionUrl: fn.url, ackWaitMs: 1_000 });
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await fn.close();
  await inbox.close();
});

/** A call with a callback. One worker had it and has died; another one has it now. */
async function putAndLose(): Promise<{ call: Call; lost: Delivery; delivery: Delivery }> {
  const call = await bench.put({ callbackUrl: inbox.url });
  const lost = await bench.take();
  const delivery = await bench.take();
  expect([lost.info.deliveries, delivery.info.deliveries]).toEqual([1, 2]);
  return { call, lost, delivery };
}

/** For a call that has ended at its first delivery: the worker that recorded the end gets time to send its callback. */
async function runPastOther(): Promise<void> {
  const first = await bench.take();
  await bench.run(first);
  expect(inbox.callbacks).toEqual([]);
  const second = await bench.take();
  expect([first.info.deliveries, second.info.deliveries]).toEqual([1, 2]);
  await bench.run(second);
}

/** The note of a worker that begins an attempt with this delivery. */
function begunWith({ info }: Delivery): BegunDelivery {
  return { v: 1, sequence: info.streamSequence, worker: 'another:2', startedAt: 1_000, lost: [] };
}

function outcomeOf(call: Call): Outcome {
  return {
    v: 1,
    callId: call.id,
    generation: 0,
    function: call.function,
    queue: call.queue,
    status: 'succeeded',
    functionStatus: 200,
    durationMs: 12,
    attempts: 1,
    maxRetries: 10,
    startTime: call.startTime,
    endedAt: Date.now(),
    headers: [['X-Recorded', 'yes']],
    callbackUrl: inbox.url,
  };
}

describe('an attempt that ends after its call', () => {
  test.for([
    ['a result', 200],
    ['a failure for good', 422],
    ['a failure that would be tried again', 503],
  ] as const)('with %s changes nothing', async ([, late]) => {
    const { call, lost, delivery } = await putAndLose();
    fn.handler = (_, response) => void response.end('of the attempt that counts');
    await bench.run(delivery);
    fn.handler = status(late, { body: 'too late' });
    await bench.run(lost);

    const ended = await bench.store.findOutcome(keyOf(call));
    expect(ended?.outcome.functionStatus).toBe(200);
    expect(Buffer.from(ended?.body ?? []).toString()).toBe('of the attempt that counts');
    expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['of the attempt that counts']);
    expect(await bench.hasRetries()).toBe(false);
    expect(await bench.deadLetters.find({ callId: call.id })).toEqual([]);
    await eventually(async () => (await bench.queued()) === 0);
  });
});

describe('the outcome of a call has its attempts', () => {
  const succeeded = { attempt: 1, status: 200, durationMs: expect.any(Number), verdict: 'succeeded' };

  test('the only one', async () => {
    const call = await bench.put();
    await bench.run(await bench.take());
    const { outcome } = (await bench.store.findOutcome(keyOf(call)))!;
    const worker = expect.stringMatching(/^.+:1$/);
    expect(outcome.history).toEqual([{ ...succeeded, startedAt: expect.any(Number), worker }]);
    const { startedAt } = outcome.history![0]!;
    expect(startedAt).toBeGreaterThanOrEqual(Math.floor(outcome.startedAt!));
    expect(startedAt).toBeLessThanOrEqual(outcome.endedAt);
  });

  test('those that were lost with their workers', async () => {
    const { call, delivery } = await putAndLose();
    await bench.handovers.noteBegin(identityOf(call), begunWith(delivery));
    await bench.run(await bench.take());
    expect((await bench.store.findOutcome(keyOf(call)))?.outcome.history).toMatchObject([
      { attempt: 1, verdict: 'lost', startedAt: 1_000, worker: 'another:2' },
      succeeded,
    ]);
  });

  test('none from before a replay', async () => {
    fn.handler = status(400);
    const call = await bench.put();
    await bench.run(await bench.take());
    const [letter] = await bench.deadLetters.find({ callId: call.id });
    expect(decodeCall(letter!.original, letter!.body)).toMatchObject({ call: { history: [{ verdict: 'failed' }] } });
    fn.handler = status(200);
    await bench.deadLetters.replay({ callId: call.id }, () => bench.target);
    await bench.run(await bench.take());
    const replayed = await bench.store.findOutcome({ ...keyOf(call), generation: 1 });
    expect(replayed?.outcome.history).toMatchObject([succeeded]);
  });
});

test('a call that is cancelled in the millisecond in which its attempt ends has no callback', async () => {
  const call = await bench.put({ callbackUrl: inbox.url });
  const record = bench.store.recordOutcome.bind(bench.store);
  vi.spyOn(bench.store, 'recordOutcome').mockImplementationOnce(async (outcome, body) => {
    await record({ ...outcome, status: 'cancelled' }, Buffer.alloc(0));
    return record(outcome, body);
  });
  await bench.run(await bench.take());
  expect((await bench.store.findOutcome(keyOf(call)))?.outcome.status).toBe('cancelled');
  expect([fn.invocations.length, inbox.callbacks.length]).toEqual([1, 0]);
});

test('a retry that was stored at the moment in which another worker ended the call is not invoked', async () => {
  const { call, lost, delivery } = await putAndLose();
  await bench.store.scheduleRetry(delivery, { ...call, retry: 1 }, Date.now());
  await bench.store.recordOutcome(outcomeOf(call), Buffer.from('of the attempt that counts'));
  lost.ack();
  await runPastOther();
  expect(fn.invocations).toEqual([]);
  expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['of the attempt that counts']);
  await eventually(async () => (await bench.queued()) === 0);
});

test('a call that another worker ends while it waits for its turn at a busy function is not invoked', async () => {
  const { call, delivery } = await putAndLose();
  const others = Array.from({ length: 10 }, () => bench.gate.enter());
  const run = bench.run(delivery);
  await eventually(() => bench.gate.occupied === 11);
  await bench.store.recordOutcome(outcomeOf(call), Buffer.from('of the attempt that counts'));
  for (const other of others) {
    (await other)?.leave('taken');
  }
  await run;
  expect(fn.invocations).toEqual([]);
  expect(bench.gate.occupied).toBe(0);
  expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['of the attempt that counts']);
  await eventually(async () => (await bench.queued()) === 0);
});

test('a call that another worker ends while the broker keeps its beginning from being noted is not invoked', async () => {
  const { call, delivery } = await putAndLose();
  const note = vi.spyOn(Handovers.prototype, 'noteBegin').mockImplementationOnce(async () => {
    await bench.store.recordOutcome(outcomeOf(call), Buffer.from('of the attempt that counts'));
    await delay(1_100);
  });
  await bench.run(delivery);
  expect(note).toHaveBeenCalledOnce();
  expect(fn.invocations).toEqual([]);
  expect(bench.gate.occupied).toBe(0);
  expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['of the attempt that counts']);
  await eventually(async () => (await bench.queued()) === 0);
});

test('a call that was put back after it had ended gets its callback from the record, and is not invoked', async () => {
  const call = await bench.put({ callbackUrl: inbox.url });
  (await bench.take()).ack();
  await eventually(async () => (await bench.queued()) === 0);
  await bench.store.recordOutcome(outcomeOf(call), Buffer.from('recorded'));
  expect(await bench.store.putBack(call, 1_000, 0)).toMatchObject({ kind: 'stored' });
  await runPastOther();
  expect(fn.invocations).toEqual([]);
  expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['recorded']);
  await eventually(async () => (await bench.queued()) === 0);
});

describe('a call whose worker died', () => {
  test('after it had stored the retry is not attempted again before its time', async () => {
    const { call, lost, delivery } = await putAndLose();
    const stored = await bench.store.scheduleRetry(lost, { ...call, retry: 1 }, Date.now() + 60_000);
    expect(stored.kind).toBe('stored');
    await bench.run(delivery);
    expect(fn.invocations).toEqual([]);
    expect(await bench.hasRetries()).toBe(true);
    await eventually(async () => (await bench.queued()) === 0);
  });

  test('before it had stored the retry gets a retry all the same, and only one', async () => {
    fn.handler = status(503);
    const { call, lost, delivery } = await putAndLose();
    await bench.run(delivery);
    await bench.run(lost);
    expect(fn.invocations).toHaveLength(2);
    expect(await bench.hasRetries()).toBe(true);
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
    await eventually(async () => (await bench.queued()) === 0);
  });

  test('after it had recorded the end gets its callback from the record', async () => {
    const { call, delivery } = await putAndLose();
    await bench.store.recordOutcome(outcomeOf(call), Buffer.from('recorded'));
    await bench.run(delivery);
    expect(fn.invocations).toEqual([]);
    const [callback] = inbox.callbacks;
    expect(callback?.body.toString()).toBe('recorded');
    expect(callback?.headers).toMatchObject({ 'x-function-status': '200', 'x-recorded': 'yes', 'x-retry-max': '10' });
    await eventually(async () => (await bench.queued()) === 0);
  });

  test('after it had recorded an end that was erased since gets no callback, and leaves no dead letter', async () => {
    const { call, delivery } = await putAndLose();
    await bench.store.recordOutcome({ ...outcomeOf(call), status: 'failed', erased: true }, Buffer.alloc(0));
    await bench.run(delivery);
    expect([fn.invocations, inbox.callbacks]).toEqual([[], []]);
    expect(await bench.deadLetters.find({ callId: call.id })).toEqual([]);
    await eventually(async () => (await bench.queued()) === 0);
  });

  test('gets its callback for its last attempt, even if the one before comes again', async () => {
    const { call, delivery } = await putAndLose();
    await bench.store.recordOutcome({ ...outcomeOf(call), attempts: 4 }, Buffer.from('recorded'));
    await bench.run(delivery);
    expect(inbox.callbacks.map(({ headers }) => headers['x-retry'])).toEqual(['3']);
  });

  test('after it had sent the callback gets no further one', async () => {
    const { call, delivery } = await putAndLose();
    await bench.store.recordOutcome(outcomeOf(call), Buffer.from('recorded'));
    await bench.store.recordCallbackState(keyOf(call), { v: 1, status: 'delivered', attempts: 1 });
    await bench.run(delivery);
    expect([fn.invocations, inbox.callbacks]).toEqual([[], []]);
    await eventually(async () => (await bench.queued()) === 0);
  });

  test('five times does not kill a sixth one', async () => {
    const call = await bench.put({ callbackUrl: inbox.url });
    for (let crash = 1; crash <= 5; crash++) {
      const delivery = await bench.take();
      if (crash > 1) {
        await bench.handovers.noteBegin(identityOf(call), begunWith(delivery));
      }
      delivery.nak();
    }
    await bench.run(await bench.take());
    expect(fn.invocations).toEqual([]);
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({
      outcome: { status: 'failed', reason: 'worker_crash', attempts: 0 },
    });
    expect(await bench.deadLetters.find({ callId: call.id })).toMatchObject([
      { letter: { reason: 'worker_crash', attempts: 0 } },
    ]);
    expect(inbox.callbacks.map(({ headers }) => headers['x-function-status'])).toEqual(['503']);
  });

  test('with deliveries that never began is attempted, however many there were', async () => {
    await bench.put();
    for (let delivery = 1; delivery <= 7; delivery++) {
      (await bench.take()).nak();
    }
    await bench.run(await bench.take());
    expect(fn.invocations).toHaveLength(1);
  });

  test('four times is attempted once more, also if the broker keeps its beginning from being noted', async () => {
    const call = await bench.put();
    for (let taken = 1; taken <= 6; taken++) {
      const delivery = await bench.take();
      if (taken > 1 && taken < 5) {
        await bench.handovers.noteBegin(identityOf(call), begunWith(delivery));
      }
      delivery.nak();
    }
    const noteBegin = bench.handovers.noteBegin.bind(bench.handovers);
    vi.spyOn(Handovers.prototype, 'noteBegin').mockImplementationOnce(async (...note) => {
      await noteBegin(...note);
      await delay(1_100);
    });
    await bench.run(await bench.take());
    expect(fn.invocations).toHaveLength(1);
  });

  test('or rather handed it back, five times, is attempted', async () => {
    const call = await bench.put();
    for (let stop = 1; stop <= 5; stop++) {
      const delivery = await bench.take();
      if (stop > 1) {
        await bench.handovers.noteBegin(identityOf(call), begunWith(delivery));
      }
      await bench.handovers.note(identityOf(call));
      delivery.nak();
    }
    await bench.run(await bench.take());
    expect(fn.invocations).toHaveLength(1);
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({ outcome: { status: 'succeeded' } });
  });
});

describe('if the broker does not say whether a call has ended, the call', () => {
  const silent = new QueueError('broker', 'the broker does not answer');

  test('waits for the answer that is under way', async () => {
    const { delivery } = await putAndLose();
    vi.spyOn(bench.store, 'findOutcome').mockRejectedValueOnce(silent);
    await bench.run(delivery);
    expect(fn.invocations).toHaveLength(1);
    expect(bench.logged).not.toContain('call could not be processed');
  });

  test('goes back if no answer comes, instead of waiting for its lease', async () => {
    const { delivery } = await putAndLose();
    vi.spyOn(bench.store, 'findOutcome').mockRejectedValue(silent);
    await bench.run(delivery);
    expect(fn.invocations).toHaveLength(0);
    expect([delivery.settled, await bench.queued()]).toEqual([true, 1]);
    expect(bench.logged).not.toContain('call could not be processed');
  });
});

describe('a broker that reports a conflict although none exists', () => {
  const conflict = { kind: 'refused', reason: 'conflict', detail: 'wrong last sequence' } as const;

  test('does not lose a call whose retry it has not stored', async () => {
    fn.handler = status(503);
    const call = await bench.put();
    vi.spyOn(bench.store, 'scheduleRetry').mockResolvedValueOnce(conflict);
    await bench.run(await bench.take());
    expect(await bench.hasRetries()).toBe(false);
    await bench.run(await bench.take());
    expect(await bench.hasRetries()).toBe(true);
    const { queue, function: name } = call;
    expect((await bench.store.findQueued({ ...identityOf(call), queue, function: name }))?.retry).toBe(1);
  });

  test('does not lose a callback that it has not stored', async () => {
    inbox.handler = status(500, { times: 1 });
    const call = await bench.put({ callbackUrl: inbox.url });
    vi.spyOn(bench.callbackStore, 'store').mockResolvedValueOnce(conflict);
    await bench.run(await bench.take());
    expect(await bench.store.findCallbackState(keyOf(call))).toBeUndefined();
    await bench.run(await bench.take());
    expect([fn.invocations.length, inbox.callbacks.length]).toEqual([1, 2]);
    expect(await bench.store.findCallbackState(keyOf(call))).toMatchObject({ status: 'delivered' });
  });

  test('does not lose a callback that must be stored before it is tried', async () => {
    await bench.put({ callbackUrl: inbox.url });
    vi.spyOn(bench.callbackStore, 'storeReady').mockResolvedValueOnce(conflict);
    await bench.run(await bench.take(), { ...bench.target, concurrency: 1 });
    expect(inbox.callbacks).toHaveLength(1);
  });
});

describe('a call', () => {
  test('of a function that is gone ends without an attempt, whole among the dead letters', async () => {
    const call = await bench.put({
      callbackUrl: inbox.url,
      path: '/sub',
      query: 'a=1',
      headers: [['X-Own', 'caf\u00e9']],
    });
    await bench.runner.run(await bench.take(), undefined, bench.gate);
    await bench.runner.whenSettled();
    expect(fn.invocations).toEqual([]);
    const [letter] = await bench.deadLetters.find({ callId: call.id });
    expect(letter).toMatchObject({ letter: { kind: 'call', reason: 'unknown_function', attempts: 0 } });
    expect(Buffer.from(letter?.body ?? []).toString()).toBe(`body of ${call.id}`);
    expect(JSON.parse(letter?.original ?? '')).toMatchObject({
      path: '/sub',
      query: 'a=1',
      headers: [['X-Own', 'caf\u00e9']],
    });
    expect(inbox.callbacks.map(({ headers }) => headers['x-function-status'])).toEqual(['503']);
  });

  test('that cannot be read is set aside as it is', async () => {
    const call = await bench.put({ retry: -1 });
    await bench.run(await bench.take());
    expect(fn.invocations).toEqual([]);
    const [letter] = await bench.deadLetters.find({ callId: call.id });
    expect(letter).toMatchObject({ letter: { reason: 'undecodable', attempts: 0 } });
    expect(JSON.parse(letter?.original ?? '')).toMatchObject({ id: call.id, retry: -1 });
    expect(Buffer.from(letter?.body ?? []).toString()).toBe(`body of ${call.id}`);
    expect(await bench.queued()).toBe(0);
  });

  test('whose result is larger than the broker takes gets its whole callback, and its outcome says where the result is', async () => {
    const result = Buffer.alloc(9 * 1024 * 1024, 1);
    fn.handler = (_, response) => void response.end(result);
    const call = await bench.put({ callbackUrl: inbox.url });
    await bench.run(await bench.take());
    expect(inbox.callbacks.map(({ body }) => body.equals(result))).toEqual([true]);
    const ended = await bench.store.findOutcome(keyOf(call));
    expect(ended).toMatchObject({
      outcome: { status: 'succeeded', bodyOmitted: 'stored_apart', bodyObject: { length: result.length } },
    });
    expect(ended?.body).toHaveLength(0);
  });

  test('whose end the broker has not stored before a stop is not settled without one', async () => {
    const call = await bench.put({ callbackUrl: inbox.url });
    vi.spyOn(bench.store, 'recordOutcome').mockImplementation(async () => {
      bench.cutShort.abort();
      return { kind: 'refused', reason: 'timeout', detail: 'no answer within 5000 ms' };
    });
    const delivery = await bench.take();
    await bench.run(delivery);
    expect([fn.invocations.length, inbox.callbacks.length]).toEqual([1, 0]);
    expect(delivery.settled).toBe(false);
    vi.restoreAllMocks();
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
  });

  test('that a stop cuts short is neither settled nor counted', async () => {
    fn.handler = () => {};
    const call = await bench.put();
    const delivery = await bench.take();
    const running = bench.run(delivery);
    await fn.waitForInvocations(1);
    bench.cutShort.abort();
    await running;
    expect(delivery.settled).toBe(false);
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
    expect(await bench.hasRetries()).toBe(false);
  });
});

describe('a call of a function with a cap', () => {
  test('leaves the queue before its callback is tried, which is still delivered at once, and once', async () => {
    const call = await bench.put({ callbackUrl: inbox.url });
    await bench.run(await bench.take(), { ...bench.target, concurrency: 5 });
    expect([inbox.callbacks.length, await bench.queued()]).toEqual([0, 0]);
    bench.deliverStored();
    await inbox.waitForCallbacks(1);
    await eventually(async () => (await bench.store.findCallbackState(keyOf(call)))?.status === 'delivered');
    expect(inbox.callbacks.map(({ callId }) => callId)).toEqual([call.id]);
  });
});

describe('a call that a busy function rejects', () => {
  /** Another call of ours is at the function; the test says how that one ends. */
  async function busy(answer: 'taken' | 'unclear') {
    const pass = await bench.gate.enter();
    fn.handler = (_, response) => {
      fn.handler = status(200);
      response.writeHead(429).end();
      setTimeout(() => pass?.leave(answer), 50);
    };
  }

  test('is attempted again as soon as another one was taken, without going back to the queue', async () => {
    await busy('taken');
    const call = await bench.put({ maxRetries: 10 });
    await bench.run(await bench.take());
    expect(fn.byCallId(call.id).map(({ headers }) => headers['x-retry'])).toEqual(['0', '1']);
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({ outcome: { status: 'succeeded', attempts: 2 } });
    expect(await bench.hasRetries()).toBe(false);
  });

  test('follows its policy if no other one is taken', async () => {
    await busy('unclear');
    const call = await bench.put({ maxRetries: 10 });
    await bench.run(await bench.take());
    expect(fn.countBy(call.id)).toBe(1);
    expect(await bench.hasRetries()).toBe(true);
  });

  test('follows its policy if the function was not busy with others', async () => {
    fn.handler = status(429);
    const call = await bench.put({ maxRetries: 10 });
    await bench.run(await bench.take());
    expect(fn.countBy(call.id)).toBe(1);
    expect(await bench.hasRetries()).toBe(true);
  });

  test('follows its policy if the function does not say that others are the reason', async () => {
    fn.handler = status(503);
    const call = await bench.put({ maxRetries: 10 });
    await whileBusy(async () => bench.run(await bench.take()));
    expect(fn.countBy(call.id)).toBe(1);
    expect(await bench.hasRetries()).toBe(true);
  });

  test('comes back when the function says so, if it says so', async () => {
    const pass = await bench.gate.enter();
    fn.handler = status(429, { retryAfter: 60 });
    const call = await bench.put({ maxRetries: 10 });
    await bench.run(await bench.take());
    pass?.leave('taken');
    expect(fn.countBy(call.id)).toBe(1);
    expect(await bench.hasRetries()).toBe(true);
  });

  test('keeps most of its budget for later: it is attempted three times more, and then follows its policy', async () => {
    fn.handler = status(429);
    const call = await bench.put({ maxRetries: 10 });
    await whileBusy(async () => bench.run(await bench.take()));
    expect(fn.byCallId(call.id).map(({ headers }) => headers['x-retry'])).toEqual(['0', '1', '2', '3']);
    expect(await bench.hasRetries()).toBe(true);
  });

  test('is not attempted again without the queue if it may be retried only once', async () => {
    fn.handler = status(429);
    const call = await bench.put({ maxRetries: 1 });
    await whileBusy(async () => bench.run(await bench.take()));
    expect(fn.countBy(call.id)).toBe(1);
    expect(await bench.hasRetries()).toBe(true);
  });

  test('and that is cut short by a stop after that keeps the number of its attempt', async () => {
    const pass = await bench.gate.enter();
    fn.handler = (_, response) => {
      fn.handler = sleep(60_000);
      response.writeHead(429).end();
      setTimeout(() => pass?.leave('taken'), 50);
    };
    const call = await bench.put({ maxRetries: 10 });
    const running = bench.run(await bench.take());
    await fn.waitForInvocations(1);
    await eventually(() => fn.inFlight === 1 && fn.countBy(call.id) === 2);
    bench.cutShort.abort();
    await running;
    expect(fn.byCallId(call.id).map(({ headers }) => headers['x-retry'])).toEqual(['0', '1']);
    const again = await bench.take();
    expect(again.call).toMatchObject({ call: { retry: 1 } });
  });

  test('goes back unattempted when its turn does not come before a stop', async () => {
    for (let sent = 0; sent < 10; sent++) {
      await bench.gate.enter();
    }
    const call = await bench.put();
    const running = bench.run(await bench.take());
    bench.gate.close();
    await running;
    expect(fn.countBy(call.id)).toBe(0);
    expect((await bench.take()).callId).toBe(call.id);
  });
});

/** Meanwhile other calls of the function come and are taken, so many that it is busy all the time. */
async function whileBusy(work: () => Promise<void>): Promise<void> {
  let done = false;
  const takeOn = async (): Promise<void> => {
    while (!done) {
      const pass = await bench.gate.enter();
      await new Promise((resolve) => setTimeout(resolve, 10));
      pass?.leave('taken');
    }
  };
  const others = Array.from({ length: 20 }, takeOn);
  await work();
  done = true;
  await Promise.all(others);
}

describe('a call without room for its body', () => {
  const body = Buffer.alloc(100 * 1024, 'b');

  /** All room for bodies is taken, until the share is released. */
  function takeAllRoom() {
    const { bodies } = bench.budgets;
    const other = bodies.open('other');
    other.reserve(512 * 1024 * 1024);
    return other;
  }

  test('is invoked with its body once there is room, and the body does not wait in memory', async () => {
    const other = takeAllRoom();
    await bench.put({ body });
    const delivery = await bench.take();
    const running = bench.run(delivery);
    await eventually(() => bench.budgets.bodies.waiting === 1);
    expect(delivery.rawBody).toHaveLength(0);
    expect(fn.invocations).toEqual([]);
    other.release();
    await running;
    expect(fn.invocations.map((invocation) => invocation.body.equals(body))).toEqual([true]);
    expect(bench.budgets.bodies.usedBytes).toBe(0);
  });

  test('and that is taken out of its queue meanwhile is not invoked', async () => {
    const other = takeAllRoom();
    await bench.put({ body });
    const delivery = await bench.take();
    const running = bench.run(delivery);
    await eventually(() => bench.budgets.bodies.waiting === 1);
    await bench.store.removeQueued(delivery);
    other.release();
    await running;
    expect(fn.invocations).toEqual([]);
    expect(delivery.settled).toBe(true);
  });

  test('goes back unattempted when the worker stops', async () => {
    takeAllRoom();
    await bench.put({ body });
    const delivery = await bench.take();
    const running = bench.run(delivery);
    await eventually(() => bench.budgets.bodies.waiting === 1);
    bench.stopping.abort();
    await running;
    expect([delivery.settled, await bench.queued(), fn.invocations.length]).toEqual([true, 1, 0]);
  });

  test('is not held back by a small one', async () => {
    takeAllRoom();
    await bench.put();
    await bench.run(await bench.take());
    expect(fn.invocations).toHaveLength(1);
  });
});

test('nothing of an ended call is held while its callback is under way', async () => {
  inbox.handler = () => {}; // hangs
  await bench.put({ body: Buffer.alloc(100 * 1024), callbackUrl: inbox.url });
  const delivery = await bench.take();
  const running = bench.run(delivery);
  await inbox.waitForCallbacks(1);
  expect(delivery.rawBody).toHaveLength(0);
  const { bodies, results, callbacks } = bench.budgets;
  expect([bodies.usedBytes, results.usedBytes]).toEqual([0, 0]);
  expect(callbacks.usedBytes).toBeGreaterThanOrEqual(100 * 1024);
  bench.cutShort.abort();
  await running;
  expect(callbacks.usedBytes).toBe(0);
});

test('ends are read one after the other if there is little room for results', async () => {
  const { results } = bench.budgets;
  const other = results.open('other');
  other.reserve(512 * 1024 * 1024);
  const { delivery, call } = await putAndLose();
  await bench.store.recordOutcome(outcomeOf(call), Buffer.from('result'));
  const running = bench.run(delivery);
  await eventually(() => results.waiting === 1);
  expect(inbox.callbacks).toEqual([]);
  other.release();
  await running;
  expect(inbox.callbacks.map((callback) => callback.body.toString())).toEqual(['result']);
  expect(fn.invocations).toEqual([]);
});
