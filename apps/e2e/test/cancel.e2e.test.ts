import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, gate, sleep, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';

/** A worker that stands still for longer loses its calls, rightly. */
const ACK_WAIT = '4s';
/** Would be delivered again by then if anything of a call were left. */
const aMoment = 5_000;

describe('a call is cancelled', () => {
  test('while it waits, while it runs and while its retry waits: nothing more happens for it', async () => {
    const held = gate();
    await using fn = await startTestFunction({ handler: held.handler });
    await using flaky = await startTestFunction({ handler: status(503) });
    await using inbox = await startCallbackReceiver();
    const retry = { attempts: 5, minWait: '1s', maxWait: '1s', backoff: 'exponential' };
    await using stack = await startStack({
      functions: { fn: { url: fn.url, concurrency: 1 }, flaky: { url: flaky.url, retry } },
      workers: 2,
      workerEnv: { ACK_WAIT },
    });
    await using client = new ApiClient(stack.gateway.url);
    await using calls = new CallClient(stack.gateway.url);
    const callbackUrl = inbox.url;
    const running = await client.accept('fn', { callbackUrl });
    await calls.until(running, 'running');
    const queued = await client.accept('fn', { callbackUrl });
    const retrying = await client.accept('flaky', { callbackUrl });
    await calls.until(retrying, 'retrying');

    for (const [callId, attempts] of [
      [queued, 0],
      [running, 1],
    ] as const) {
      const answer = await calls.ask(callId, '', 'DELETE');
      expect(answer).toMatchObject({ status: 202, body: { callId, status: 'cancelled', attempts } });
      expect(await calls.state(callId)).toMatchObject({ status: 'cancelled', attempts });
      expect(await calls.ask(`${callId}/result`)).toMatchObject({ status: 410, body: { reason: 'cancelled' } });
    }
    expect(await calls.ask(retrying, '', 'DELETE')).toMatchObject({ status: 202, body: { status: 'cancelled' } });
    // The worker has closed the connection to the function, and its slot is free.
    await eventually(() => fn.invocations[0]?.aborted);
    held.open();
    const next = await client.accept('fn');
    expect(await calls.untilEnded(next)).toMatchObject({ status: 'succeeded' });

    const attempts = flaky.countBy(retrying);
    await new Promise((resolve) => setTimeout(resolve, aMoment));
    expect(await stack.queued()).toBe(0);
    expect([fn.countBy(running), fn.countBy(queued), flaky.countBy(retrying)]).toEqual([1, 0, attempts]);
    expect(inbox.callbacks).toEqual([]);
    const letters = await (await fetch(`${stack.gateway.url}/system/dead-letters`)).json();
    expect(letters).toEqual({ deadLetters: [] });
    expect(await calls.ask(running, '', 'DELETE')).toMatchObject({ status: 409, body: { code: 'already_ended' } });
    expect(await calls.ask(next, '', 'DELETE')).toMatchObject({ status: 409, body: { call: { status: 'succeeded' } } });
  });

  test('while its worker is paused with the delivery in its socket: it is not run when the worker resumes', async () => {
    await using victim = await startTestFunction();
    await using filler = await startTestFunction();
    await using stack = await startStack({ functions: { victim: victim.url, filler: filler.url } });
    await using client = new ApiClient(stack.gateway.url);
    await using calls = new CallClient(stack.gateway.url);
    for (const name of ['victim', 'filler']) {
      await calls.untilEnded(await client.accept(name)); // from now on the worker waits for the next call of each
    }
    await stack.untilSettled();
    stack.worker.kill('SIGSTOP');
    const stoppedAt = performance.now();
    const cancelled = await client.accept('victim');
    // Between the delivery and the message that cancels, so that the worker does not read both at once.
    const large = await client.accept('filler', { body: 'x'.repeat(900_000) });
    expect(await calls.ask(cancelled, '', 'DELETE')).toMatchObject({ status: 202 });
    await eventually(() => performance.now() - stoppedAt > 2_000);
    stack.worker.kill('SIGCONT');
    expect(await calls.untilEnded(large)).toMatchObject({ status: 'succeeded' });
    await stack.untilSettled();
    expect(victim.countBy(cancelled)).toBe(0);
    expect(await calls.state(cancelled)).toMatchObject({ status: 'cancelled', attempts: 0 });
  });

  test('whose worker was killed: it does not come back when its lease has run out', async () => {
    await using fn = await startTestFunction({ handler: sleep(60_000) });
    await using stack = await startStack({ functions: { fn: fn.url }, workerEnv: { ACK_WAIT } });
    await using client = new ApiClient(stack.gateway.url);
    await using calls = new CallClient(stack.gateway.url);
    const callId = await client.accept('fn');
    await fn.waitForInvocations(1);
    stack.worker.kill('SIGKILL');
    await stack.worker.ended();
    const { status: code, tookMs } = await calls.ask(callId, '', 'DELETE');
    expect(code).toBe(202);
    expect(tookMs).toBeLessThan(30_000);
    await stack.startWorker();
    await new Promise((resolve) => setTimeout(resolve, aMoment));
    expect(fn.invocations).toHaveLength(1);
    expect(await calls.state(callId)).toMatchObject({ status: 'cancelled' });
  });
});

/**
 * Everything that has reached this process by now has been read: requests are accepted, read and handled in different
 * ticks of the event loop.
 */
async function untilRead(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise(setImmediate);
  }
}

describe('1,000 calls are cancelled while workers run them', () => {
  test('and each either ended before, or was not invoked after the answer', async () => {
    const count = 1_000;
    // Nothing ends before all are accepted, however slow that is.
    const held = gate(sleep(20));
    await using fn = await startTestFunction({ handler: held.handler, keepBodies: false });
    await using inbox = await startCallbackReceiver({ keepBodies: false });
    await using stack = await startStack({
      functions: { fn: fn.url },
      gateways: 2,
      workers: 2,
      workerEnv: { MAX_INFLIGHT: '10', ACK_WAIT },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url, 20);
    await using calls = new CallClient(stack.gateways[1]!.url, 20);
    const callIds = await client.acceptMany('fn', count, { callbackUrl: inbox.url });
    // From the back, so that cancels and workers meet in the middle.
    const left = [...callIds];
    const answers = new Map<string, { status: number; at: number; body: Record<string, unknown> }>();
    const cancelMany = async (): Promise<void> => {
      for (let callId = left.pop(); callId !== undefined; callId = left.pop()) {
        const { status: code, body } = await calls.ask(callId, '', 'DELETE');
        await untilRead();
        answers.set(callId, { status: code, at: performance.now(), body });
      }
    };
    held.open();
    await Promise.all(Array.from({ length: 20 }, cancelMany));
    await stack.untilSettled();
    await new Promise((resolve) => setTimeout(resolve, aMoment));

    const wrong = callIds.flatMap((callId) => {
      const { status: code, at, body } = answers.get(callId)!;
      const invokedAfterMs = fn
        .byCallId(callId)
        .flatMap((invocation) => (invocation.at > at ? [invocation.at - at] : []));
      const called = inbox.byCallId(callId).length;
      const isCancelled = code === 202 && body['status'] === 'cancelled' && called === 0;
      const hasEnded = code === 409 && (body['call'] as { status: string }).status === 'succeeded' && called === 1;
      const isRight = invokedAfterMs.length === 0 && (isCancelled || hasEnded);
      return isRight ? [] : [{ callId, code, body, called, invokedAfterMs }];
    });
    expect(wrong).toEqual([]);
    const codes = [...answers.values()].map(({ status: code }) => code);
    expect(new Set(codes)).toEqual(new Set([202, 409]));
    // Each has one end, and nothing is left of any.
    const outcomes = await records.outcomes();
    expect(callIds.filter((callId) => outcomes.get(callId) !== 1)).toEqual([]);
    expect(await stack.queued()).toBe(0);
  });
});
