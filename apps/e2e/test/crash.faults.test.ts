import { ApiClient, startLoad } from '@asyncfn/stack';
import { echo, eventually, gate, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const held = 50;

describe('a worker that is killed', () => {
  test('gives its 50 calls to another one once its lease is over', async () => {
    const ackWaitMs = 3_000;
    const { handler } = gate();
    await using fn = await startTestFunction({ handler });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { slow: fn.url },
      workerEnv: { ACK_WAIT: `${ackWaitMs}ms`, MAX_INFLIGHT: String(held) },
    });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('slow', held, { callbackUrl: inbox.url });
    await eventually(() => fn.inFlight === held);
    await stack.startWorker();

    fn.handler = echo;
    stack.worker.kill('SIGKILL');
    const killedAt = performance.now();
    await inbox.waitForCallbacks(held);
    const tookMs = performance.now() - killedAt;
    await stack.untilSettled();
    expect(await stack.untilAudited()).toBe(0);

    expect(tookMs).toBeLessThan(ackWaitMs + 30_000);
    expect(callIds.map((callId) => inbox.byCallId(callId).length)).toEqual(callIds.map(() => 1));
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 2));
  });

  test('by the same call five times does not get it again, and other calls go on', async () => {
    await using deadly = await startTestFunction(gate());
    await using fn = await startTestFunction();
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { deadly: deadly.url, echo: fn.url },
      workerEnv: { ACK_WAIT: '1s' },
    });
    await using client = new ApiClient(stack.gateway.url);
    const callId = await client.accept('deadly', { callbackUrl: inbox.url });
    for (let crash = 1; crash <= 5; crash++) {
      await deadly.waitForInvocations(crash);
      stack.workers.at(-1)?.kill('SIGKILL');
      await stack.startWorker();
      await client.accept('echo', { callbackUrl: inbox.url });
      await inbox.waitForCallbacks(crash);
    }
    const line = await stack.workers.at(-1)?.untilLogged('call failed');
    await stack.untilSettled();
    expect(await stack.untilAudited()).toBe(0);

    expect(line).toMatchObject({ callId, function: 'deadly', reason: 'worker_crash' });
    expect(deadly.countBy(callId)).toBe(5);
    const answer = await fetch(`${stack.gateway.url}/async-function/${callId}/attempts`);
    const { attempts } = (await answer.json()) as { attempts: { worker: string }[] };
    expect(attempts.map((attempt) => ({ ...attempt, worker: attempt.worker.split(':').at(-1) }))).toMatchObject([
      { attempt: 1, verdict: 'lost', worker: 'unknown' },
      ...stack.workers.slice(1, 5).map(({ pid }) => ({ attempt: 1, verdict: 'lost', worker: String(pid) })),
    ]);
    expect(inbox.byCallId(callId).map(({ headers }) => headers['x-function-status'])).toEqual(['503']);
  });

  test('counts, but a worker that is stopped and hands its call back does not', async () => {
    const { handler } = gate();
    await using fn = await startTestFunction({ handler });
    await using inbox = await startCallbackReceiver();
    // A call that is not handed back comes too late.
    const workerEnv = { SHUTDOWN_TIMEOUT: '10ms', ACK_WAIT: '5m' };
    await using stack = await startStack({ functions: { slow: fn.url }, workerEnv });
    await using client = new ApiClient(stack.gateway.url);
    const callId = await client.accept('slow', { callbackUrl: inbox.url });
    for (let stop = 1; stop <= 6; stop++) {
      await fn.waitForInvocations(stop);
      const stopping = stack.workers.at(-1);
      const [exit] = await Promise.all([stopping?.stop(), stack.startWorker()]);
      expect(exit).toEqual({ code: 0, signal: null });
    }
    await fn.waitForInvocations(7);
    fn.handler = echo;
    await stack.workers.at(-1)?.stop();
    await stack.startWorker();
    await inbox.waitForCallbacks(1);
    await stack.untilSettled();

    expect(fn.countBy(callId)).toBe(8);
    expect(inbox.byCallId(callId)[0]?.headers['x-function-status']).toBe('200');
  });
});

describe('a gateway that is killed', () => {
  test('under load has stored every call that it answered 202', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    const load = startLoad(client, 'echo', 50);
    await eventually(() => load.accepted.length > 1_000);
    stack.gateway.kill('SIGKILL');
    await stack.gateway.exited;
    await load.stop();
    await stack.untilSettled();
    expect(await stack.untilAudited()).toBe(0);

    expect(load.refused).toEqual([]);
    expect(load.accepted.filter((callId) => fn.countBy(callId) !== 1)).toEqual([]);
  });
});
