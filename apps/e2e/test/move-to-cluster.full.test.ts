import { type NatsCluster, startNatsCluster } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { ApiClient, type AppProcess, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { backUpStreams, restoreStreams } from './harness/broker/stream-backup.ts';
import { startStack } from './harness/stack.ts';

/** Three servers with folders of their own, like those of deploy/docker-compose.cluster.yml. */
async function startCluster(): Promise<NatsCluster> {
  return await startNatsCluster({ bin: inject('natsServerBin'), syncInterval: 'always' });
}

function onCluster({ urls }: NatsCluster) {
  return { NATS_URL: urls, STREAM_REPLICAS: '3', NATS_SYNC: 'always', REQUIRE_DURABILITY: 'fsync-quorum' };
}

async function stopApps({ gateways, workers }: Stack): Promise<void> {
  await Promise.all([...gateways, ...workers].map((app) => app.stop()));
}

async function startApps(stack: Stack, env: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
  await stack.startWorker(env);
  return await stack.startGateway(env);
}

async function resume(gateway: AppProcess, name: string): Promise<void> {
  expect(await new Operator(gateway.url).ask('POST', `/functions/${name}/resume`)).toMatchObject({ status: 200 });
}

/** A call of each kind, on a single server. */
async function leaveCalls({ gateway }: Stack) {
  await using client = new ApiClient(gateway.url);
  await using calls = new CallClient(gateway.url);
  const operator = new Operator(gateway.url);
  expect(await operator.ask('POST', '/functions/held/pause')).toMatchObject({ status: 200 });
  const keyed = { headers: { 'Idempotency-Key': 'order-7' }, body: 'keyed' };
  const left = {
    waiting: await client.acceptMany('held', 20),
    ended: await client.accept('echo', keyed),
    keyed,
    delayed: await client.accept('echo', { headers: { 'X-Delay': '8s' } }),
    retrying: await client.accept('flaky'),
    dead: await client.accept('broken'),
  };
  await calls.until(left.ended, 'succeeded');
  await calls.until(left.retrying, 'retrying');
  await eventually(async () => (await operator.ask('GET', `/dead-letters/${left.dead}`)).status === 200);
  return left;
}

function invocationsOf({ held }: { readonly held: TestFunction }, ids: readonly string[]): number[] {
  return ids.map((id) => held.byCallId(id).length);
}

async function startFunctions() {
  const [echo, held, flaky, broken] = await Promise.all([
    startTestFunction(),
    startTestFunction(),
    startTestFunction({ handler: status(503, { times: 1 }) }),
    startTestFunction({ handler: status(400) }),
  ]);
  return { echo, held, flaky, broken };
}

test('a backup of all streams that is restored into a cluster contains every call, end, key, dead letter and pause', async () => {
  const functions = await startFunctions();
  await using stack = await startStack({
    functions: Object.fromEntries(Object.entries(functions).map(([name, { url }]) => [name, url])),
    workerEnv: { RETRY_MIN_WAIT: '5s', RETRY_BACKOFF: 'exponential' },
  });
  const left = await leaveCalls(stack);

  await stopApps(stack);
  const backup = await backUpStreams(stack.nats.url);
  await stack.haltNats();
  await using cluster = await startCluster();
  await restoreStreams(cluster.urls, backup);
  const gateway = await startApps(stack, onCluster(cluster));

  await using client = new ApiClient(gateway.url);
  await using calls = new CallClient(gateway.url);
  for (const id of left.waiting) {
    expect(await calls.state(id)).toMatchObject({ status: 'queued', attempts: 0 });
  }
  expect((await calls.result(left.ended)).body.toString()).toContain('keyed');
  expect(await client.call('echo', left.keyed)).toMatchObject({ status: 202, callId: left.ended });
  const operator = new Operator(gateway.url);
  expect(await operator.ask('GET', `/dead-letters/${left.dead}`)).toMatchObject({ status: 200 });
  expect((await operator.show('held')).body).toMatchObject({ paused: true });
  await calls.until(left.delayed, 'succeeded');
  await calls.until(left.retrying, 'succeeded');
  expect(functions.held.invocations).toEqual([]);
  await resume(gateway, 'held');
  await Promise.all(left.waiting.map((id) => calls.until(id, 'succeeded')));
  expect(invocationsOf(functions, left.waiting)).toEqual(left.waiting.map(() => 1));
});

test('a cluster has none of the calls of the single server, and all of them are there when the single server is back', async () => {
  const functions = await startFunctions();
  await using stack = await startStack({ functions: { held: functions.held.url } });
  expect(await new Operator(stack.gateway.url).ask('POST', '/functions/held/pause')).toMatchObject({ status: 200 });
  await using client = new ApiClient(stack.gateway.url);
  const waiting = await client.acceptMany('held', 20);
  await stopApps(stack);
  await stack.haltNats();

  await using cluster = await startCluster();
  const between = await startApps(stack, { NATS_URL: cluster.urls });
  await using strange = new CallClient(between.url);
  expect(await strange.ask(waiting[0]!)).toMatchObject({ status: 404 });
  await stopApps(stack);

  await stack.nats.restart();
  const back = await startApps(stack);
  await using calls = new CallClient(back.url);
  await resume(back, 'held');
  await Promise.all(waiting.map((id) => calls.until(id, 'succeeded')));
  expect(invocationsOf(functions, waiting)).toEqual(waiting.map(() => 1));
});
