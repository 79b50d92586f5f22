import { ApiClient, type Load, startLoad } from '@asyncfn/stack';
import { eventually, sleep, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { expectClosedCleanly } from './harness/wire/closed-cleanly.ts';

describe('a redeployment under load', () => {
  test('of workers, one after the other, invokes every call once', async () => {
    await using fn = await startTestFunction({ handler: sleep(100) });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { slow: fn.url },
      workers: 2,
      workerEnv: { MAX_INFLIGHT: '50' },
    });
    await using client = new ApiClient(stack.gateway.url, 10);
    const load = startLoad(client, 'slow', 5, { callbackUrl: inbox.url });
    for (const worker of [...stack.workers]) {
      const before = fn.invocations.length;
      await eventually(() => fn.invocations.length > before + 100);
      await stack.startWorker();
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
    }
    await load.stop();
    await inbox.waitForCallbacks(load.accepted.length);
    await stack.untilSettled();

    expect(load.refused).toEqual([]);
    expect(load.accepted.filter((callId) => fn.countBy(callId) !== 1)).toEqual([]);
    expect(load.accepted.filter((callId) => inbox.byCallId(callId).length !== 1)).toEqual([]);
  });

  test('of gateways, one after the other, answers every request and invokes every call once', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url }, gateways: 2 });
    const loads: Load[] = [];
    for (const gateway of [...stack.gateways]) {
      await using client = new ApiClient(gateway.url, 20);
      const load = startLoad(client, 'echo', 20);
      loads.push(load);
      await eventually(() => load.accepted.length > 200);
      await stack.startGateway();
      expect(await gateway.stop()).toEqual({ code: 0, signal: null });
      await load.stop();
      expect(load.refused).toEqual([]);
      expectClosedCleanly(load);
    }
    await stack.untilSettled();

    const accepted = loads.flatMap((load) => load.accepted);
    expect(accepted.filter((callId) => fn.countBy(callId) !== 1)).toEqual([]);
    expect(fn.invocations).toHaveLength(accepted.length);
  });
});
