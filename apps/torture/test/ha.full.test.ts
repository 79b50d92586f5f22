import { AppProcess, startFleet } from '@asyncfn/stack';
import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { BrokerLook } from '../src/broker/broker-look.ts';
import { expectClean, runTorture } from './torture.ts';

/** Raft elects a leader within 4 to 9 s; the cluster notices a server that hangs after 15 s. */
const longestPauseMs = 30_000;

test('any one of three servers is killed, cut off or left alone under load: nothing is lost, and calls are accepted again soon', async () => {
  const faults = ['kill NATS', 'cut off NATS', 'isolate NATS', 'restart NATS'];
  const result = await runTorture({ durationMs: 45_000, gapMs: 2_000, rate: 60, nodes: 3, faults });
  expectClean(result);
  const { impacts } = result;
  expect(impacts.length).toBeGreaterThanOrEqual(3);
  for (const impact of impacts) {
    expect(impact.longestPauseMs, impact.name).toBeLessThan(longestPauseMs);
  }
}, 400_000);

test('the replicas of every stream are raised while calls wait in them', async () => {
  await using fleet = await startFleet({
    natsServerBin: inject('natsServerBin'),
    nodes: 3,
    gateways: 1,
    workers: 1,
    functions: { echo: 'http://127.0.0.1:9/' },
    env: { STREAM_REPLICAS: '1' },
    workerEnv: { RETRY_MIN_WAIT: '1h', RETRY_MAX_WAIT: '1h' },
  });
  await using look = await BrokerLook.open(fleet.natsUrls);
  expect(new Set((await look.replicas()).values())).toEqual(new Set([1]));
  const [gateway] = fleet.gateways;
  const [worker] = fleet.workers;
  await gateway!.process.untilReady();
  const answer = await fetch(`${gateway!.process.url}/async-function/echo`, { method: 'POST' });
  expect(answer.status).toBe(202);
  await eventually(async () => (await look.holdings()).messages['CALLS_default'] === 1);

  // One after the other, as docs/durability.md describes.
  const raised = { STREAM_REPLICAS: '3' };
  await worker!.process.stop();
  await using nextWorker = await AppProcess.spawn('worker', 'worker-raised', { ...worker!.env, ...raised });
  await nextWorker.untilReady();
  await gateway!.process.stop();
  await using nextGateway = await AppProcess.spawn('gateway', 'gateway-raised', { ...gateway!.env, ...raised });
  await nextGateway.untilReady();
  await eventually(async () => [...(await look.replicas()).values()].every((replicas) => replicas === 3), {
    timeoutMs: 30_000,
    message: 'not every stream has three replicas',
  });
  const streams = ['CALLBACKS', 'CALLS_default', 'DEAD_LETTERS', 'HANDOVERS', 'KV_FUNCTIONS', 'OUTCOMES'];
  expect([...(await look.replicas()).keys()]).toEqual(expect.arrayContaining(streams));
  expect((await look.holdings()).messages['CALLS_default']).toBe(1);
});
