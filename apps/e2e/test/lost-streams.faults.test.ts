import { rm } from 'node:fs/promises';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

/** How many messages the stream has had. */
async function countOf({ nats }: Stack, stream: string): Promise<number> {
  await using connection = await connect({ servers: nats.url });
  return (await (await jetstreamManager(connection)).streams.info(stream)).state.last_seq;
}

/** As if the server had a new disk. */
async function wipe(stack: Stack): Promise<void> {
  await stack.haltNats();
  await rm(stack.nats.storeDir, { recursive: true });
  await stack.nats.restart();
}

/** Calls that wait for a paused function, and that workers have looked up once. */
async function leaveWaiting(stack: Stack, count: number): Promise<void> {
  expect(await new Operator(stack.gateway.url).ask('POST', '/functions/echo/pause')).toMatchObject({ status: 200 });
  await using client = new ApiClient(stack.gateway.url);
  await client.acceptMany('echo', count);
  // The gateway has stored their receipts, and a worker has stored them again for its next check.
  await eventually(async () => (await countOf(stack, 'RECEIPTS')) >= 2);
}

test('a broker that comes back without its streams is reported, and each waiting call is missing', async () => {
  await using fn = await startTestFunction();
  await using stack = await startStack({ functions: { echo: fn.url } });
  await leaveWaiting(stack, 20);
  await wipe(stack);

  const line = await stack.gateway.untilLogged(
    'a stream is gone, and its messages are lost',
    ({ stream }) => stream === 'CALLS_default',
  );
  expect(line).toMatchObject({ level: 'error', held: expect.any(Number) });
  await stack.worker.untilLogged('a stream is gone, and its messages are lost');
  for (const app of [stack.gateway, stack.worker]) {
    await app.untilReady();
    expect(JSON.parse((await app.ops('/readyz')).body)).toMatchObject({ status: 'ready', checks: { streams: 'lost' } });
  }
  expect(await stack.gateway.metric('gateway_streams_lost_total')).toBeGreaterThan(0);
  expect(await stack.worker.metric('queue_worker_streams_lost_total')).toBeGreaterThan(0);
  await eventually(async () => (await stack.worker.metric('queue_worker_conservation_drift')) === 20, {
    message: 'the lost calls do not show',
  });
  // Later calls are not among them.
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  expect(await new Operator(stack.gateway.url).ask('POST', '/functions/echo/resume')).toMatchObject({ status: 200 });
  await calls.until(await client.accept('echo'), 'succeeded');
  expect(await stack.untilAudited()).toBe(20);
});

test('a stream that is deleted while the connection lasts is reported and created again', async () => {
  await using fn = await startTestFunction();
  await using stack = await startStack({ functions: { echo: fn.url } });
  await leaveWaiting(stack, 3);
  for (const name of ['CALLS_default', 'OUTCOMES']) {
    await stack.deleteStream(name);
  }
  for (const app of [stack.gateway, stack.worker]) {
    // A process that has not checked since the calls came has last seen it empty, and warns.
    await eventually(
      () => app.logs.some(({ msg, stream }) => /stream is gone/.test(String(msg)) && stream === 'CALLS_default'),
      { message: `${app.name} does not report the stream` },
    );
  }
  await eventually(async () => (await stack.worker.metric('queue_worker_conservation_drift')) === 3, {
    timeoutMs: 60_000,
  });
  expect(await new Operator(stack.gateway.url).ask('POST', '/functions/echo/resume')).toMatchObject({ status: 200 });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  await calls.until(await client.accept('echo'), 'succeeded');
});
