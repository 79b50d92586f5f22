import { startNatsCluster } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { type CallbackTask, createCallId } from '../src/index.ts';
import { CallbackStore, Publisher, QueueTopology } from '../src/jetstream/index.ts';
import { connected, createBroker } from './connected.ts';

const task: CallbackTask = {
  v: 1,
  callId: createCallId(),
  generation: 0,
  function: 'echo',
  queue: 'default',
  url: 'http://receiver.test/',
  functionStatus: 200,
  durationMs: 5,
  startTime: '1700000000000000000',
  retry: 0,
  maxRetries: 0,
  headers: [],
  tries: 1,
};

test('a leader without a quorum does not report conflicts', async () => {
  await using cluster = await startNatsCluster({ bin: inject('natsServerBin') });
  await using first = createBroker(cluster.urls, { servers: cluster.urls.split(',') });
  const topology = new QueueTopology(first.broker, {
    replicas: 3,
    ackWaitMs: 30_000,
    ownsLanes: true,
    queues: () => [],
    logger: first.logger,
    onFatal: (error) => void first.fatal.push(error),
  });
  first.broker.start();
  await eventually(() => topology.ready);
  const info = await topology.manager.streams.info('CALLBACKS');
  const leader = cluster.servers[Number(info.cluster?.leader?.replace('nats-', '')) - 1];
  await using second = createBroker(leader?.url ?? '');
  second.broker.start();
  await connected(second.broker);
  const store = new CallbackStore(new Publisher(second.broker, { timeoutMs: 1_000 }), topology);
  const put = async (): Promise<string> => {
    // After a missing answer, the broker is pinged before anything is sent.
    await connected(second.broker);
    const result = await store.store(task, Buffer.from('result'), Date.now() + 60_000, 0);
    return result.kind === 'stored' ? 'stored' : result.reason;
  };

  const followers = cluster.servers.filter((server) => server !== leader);
  await Promise.all(followers.map((server) => server.pause()));
  expect(await put()).toBe('timeout');
  // The leader has it, but may have to forget it. A client that took it for stored would lose it.
  expect(await put()).toBe('undecided');
  for (const server of followers) {
    server.signal('SIGCONT');
  }
  await eventually(async () => (await put()) === 'conflict');
  const subject = `callbacks.later.${task.callId}.~.${task.startTime}.0`;
  expect(await topology.manager.streams.getMessage('CALLBACKS', { last_by_subj: subject })).not.toBeNull();
});
