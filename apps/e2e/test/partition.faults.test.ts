import { ApiClient } from '@asyncfn/stack';
import { echo, eventually, gate, startCallbackReceiver, startTcpProxy, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

describe('a process that is cut off from a nats-server that keeps running', () => {
  test('as a worker loses its calls to another one, and works again when the connection is back', async () => {
    const slow = gate();
    await using fn = await startTestFunction(slow);
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { slow: fn.url }, workers: 0, workerEnv: { ACK_WAIT: '1s' } });
    await using line = await startTcpProxy({ port: stack.nats.port });
    await using client = new ApiClient(stack.gateway.url);
    const cutOff = await stack.startWorker({ NATS_URL: `nats://${line.host}:${line.port}` });
    const callIds = await client.acceptMany('slow', 20, { callbackUrl: inbox.url });
    await eventually(() => fn.inFlight === callIds.length);

    line.stall();
    fn.handler = echo;
    await stack.startWorker();
    await inbox.waitForCallbacks(callIds.length);
    await stack.untilSettled();
    // The other one has settled what it settles now.
    slow.open();
    await eventually(() => cutOff.logged('function invoked').length === callIds.length);
    line.heal();
    await cutOff.untilReady();
    await stack.worker.untilReady();
    const later = await client.acceptMany('slow', 20);
    await stack.untilSettled();

    // The broker may have sent a call into the dead connection for the one outstanding request: that one comes again.
    expect(callIds.filter((callId) => fn.countBy(callId) === 3).length).toBeLessThanOrEqual(1);
    expect(callIds.filter((callId) => fn.countBy(callId) > 3)).toEqual([]);
    expect(later.map((callId) => fn.countBy(callId))).toEqual(later.map(() => 1));
  });

  test('as a gateway refuses calls, and takes them again when the connection is back', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { echo: fn.url }, gateways: 0 });
    await using line = await startTcpProxy({ port: stack.nats.port });
    const gateway = await stack.startGateway({ NATS_URL: `nats://${line.host}:${line.port}` });
    await using client = new ApiClient(gateway.url);
    for (const cutOff of [() => line.cut(), () => line.stall()]) {
      await client.accept('echo');
      cutOff();
      await eventually(async () => (await client.call('echo')).status === 503);
      expect((await gateway.ops('/readyz')).status).toBe(503);
      line.heal();
      await gateway.untilReady();
    }
    const callId = await client.accept('echo');
    await eventually(() => fn.countBy(callId) === 1);
  });
});
