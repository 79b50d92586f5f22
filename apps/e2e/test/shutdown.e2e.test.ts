import { ApiClient, startLoad } from '@asyncfn/stack';
import { echo, eventually, gate, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { expectClosedCleanly } from './harness/wire/closed-cleanly.ts';

const held = 50;
const cleanExit = { code: 0, signal: null };

describe('a worker that gets SIGTERM with 50 calls in flight', () => {
  test('finishes those that end in time: none is lost, none is invoked twice', async () => {
    const ackWaitMs = 4_000;
    const slow = gate();
    await using fn = await startTestFunction(slow);
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { slow: fn.url },
      workerEnv: { ACK_WAIT: `${ackWaitMs}ms`, MAX_INFLIGHT: String(held) },
    });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('slow', 2 * held, { callbackUrl: inbox.url });
    await eventually(() => fn.inFlight === held);
    stack.worker.kill('SIGTERM');
    const stoppedAt = performance.now();
    await stack.worker.untilLogged('phase done', ({ phase }) => phase === 'close intake');
    expect((await stack.worker.ops('/readyz')).status).toBe(503);
    // Another worker runs all the time, and the leases are shorter than the stop.
    await stack.startWorker();
    await eventually(() => fn.inFlight === 2 * held);
    await eventually(() => performance.now() - stoppedAt > 1.5 * ackWaitMs);
    slow.open();

    expect(await stack.worker.ended()).toEqual(cleanExit);
    await inbox.waitForCallbacks(callIds.length);
    await stack.untilSettled();
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
    expect(callIds.map((callId) => inbox.byCallId(callId).length)).toEqual(callIds.map(() => 1));
  });

  test('hands back those that do not: another worker invokes them at once, long before ACK_WAIT', async () => {
    await using fn = await startTestFunction(gate());
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { slow: fn.url },
      workerEnv: { ACK_WAIT: '5m', MAX_INFLIGHT: String(held), SHUTDOWN_TIMEOUT: '300ms' },
    });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('slow', held, { callbackUrl: inbox.url });
    await eventually(() => fn.inFlight === held);
    await stack.startWorker();
    fn.handler = echo;
    const stoppedAt = performance.now();
    const exited = stack.worker.stop();
    await inbox.waitForCallbacks(held);

    expect(performance.now() - stoppedAt).toBeLessThan(60_000);
    expect(await exited).toEqual(cleanExit);
    await stack.untilSettled();
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 2));
    expect(callIds.map((callId) => inbox.byCallId(callId).length)).toEqual(callIds.map(() => 1));
    // Closed connections told the function which calls were cut short.
    expect(fn.invocations.filter(({ aborted }) => aborted)).toHaveLength(held);
  });

  test('waits no longer at a second signal', async () => {
    await using fn = await startTestFunction(gate());
    await using stack = await startStack({ functions: { slow: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('slow');
    await fn.waitForInvocations(1);
    stack.worker.kill('SIGTERM');
    await stack.worker.untilLogged('stop requested');
    stack.worker.kill('SIGTERM');

    expect(await stack.worker.ended()).toEqual({ code: 1, signal: null });
  });

  test('ends cleanly while nats-server is away', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url } });
    await stack.haltNats();

    expect(await stack.worker.stop()).toEqual(cleanExit);
    expect(await stack.gateway.stop()).toEqual(cleanExit);
  });
});

describe('a gateway that gets SIGTERM under load', () => {
  test('has stored every call that it answered 202, and answers or cleanly closes every request', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    const load = startLoad(client, 'echo', 50, { body: Buffer.alloc(10_000) });
    await eventually(() => load.accepted.length > 1_000);
    const exit = await stack.gateway.stop();
    await load.stop();
    await stack.untilSettled();

    expect(exit).toEqual(cleanExit);
    expect(load.refused).toEqual([]);
    expectClosedCleanly(load);
    expect(load.accepted.filter((callId) => fn.countBy(callId) !== 1)).toEqual([]);
    expect(fn.invocations).toHaveLength(load.accepted.length);
  });

  test('waits no longer at a second signal', async () => {
    await using stack = await startStack({ functions: { echo: 'http://127.0.0.1:9/' }, workers: 0 });
    await using client = new ApiClient(stack.gateway.url);
    // A broker that hangs keeps a request, and so the stop, waiting for its PubAck.
    await stack.nats.pause();
    const answered = client.call('echo').catch(() => undefined);
    await eventually(async () => (await stack.gateway.metric('gateway_invocation_function_started')) === 1);
    stack.gateway.kill('SIGTERM');
    await stack.gateway.untilLogged('stop requested');
    stack.gateway.kill('SIGTERM');

    expect(await stack.gateway.ended()).toEqual({ code: 1, signal: null });
    await answered;
  });
});
