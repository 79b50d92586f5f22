import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type Call, createCallId } from '@asyncfn/queue-core';
import { FunctionRegister } from '@asyncfn/queue-core/functions';
import { Broker, CallQueue, followDeletedLanes, Publisher, QueueTopology } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { idleMs, LaneReconciler } from '../src/lanes/lane-reconciler.ts';

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
});

afterAll(() => server.stop());

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const retry = { attempts: undefined, minWaitMs: undefined, maxWaitMs: undefined, backoff: undefined, codes: undefined };

/** Every name is a function. */
function everyName(): FunctionRegister {
  const others = { queue: 'default', timeoutMs: 0, concurrency: undefined, maxPending: undefined, retry };
  const fallback = (name: string) => ({ ...others, adaptive: true, name, url: `http://${name}` });
  return new FunctionRegister({ functions: new Map(), fallback });
}

async function connect(ownsLanes: boolean) {
  const broker = new Broker({ servers: [server.url], name: 'test', logger, onFatal: () => {} });
  const options = { replicas: 1, ackWaitMs: 30_000, queues: () => ['default'], logger, onFatal: () => {} };
  const topology = new QueueTopology(broker, { ...options, ownsLanes });
  broker.start();
  await eventually(() => topology.ready);
  return { broker, topology, [Symbol.asyncDispose]: () => broker.stop() };
}

/** A reconciler without a worker around it, and its clock. */
function createKeeper(topology: QueueTopology) {
  const clock = { now: 0 };
  const dispatcher = {
    open: () => {},
    close: () => {},
    lost: () => {},
    unfilled: () => {},
    counted: () => {},
    lanesWithUnknownBacklog: () => [],
  };
  const register = everyName();
  const reconciler = new LaneReconciler({
    register,
    topology,
    dispatcher,
    logger,
    queues: undefined,
    now: () => clock.now,
  });
  return { reconciler, clock };
}

function call(name: string): Call {
  const id = createCallId();
  const nothing = { path: '', query: '', headers: [], startTime: '1', retry: 0, body: new Uint8Array() };
  return { ...nothing, id, function: name, queue: 'default' };
}

test('consumers of names that clients invent are removed when they have had nothing to do, and come back with a call', async () => {
  await using worker = await connect(true);
  await using gateway = await connect(false);
  const { broker, topology } = gateway;
  followDeletedLanes(broker, (lane) => topology.forgetLane(lane.queue, lane.function));
  const queue = new CallQueue({ broker, topology, publisher: new Publisher(broker), register: everyName() });
  const { reconciler, clock } = createKeeper(worker.topology);
  await Promise.all(
    ['a', 'b'].map((name) => topology.ensureFunction({ name, queue: 'default', concurrency: undefined })),
  );
  await queue.accept(call('b'), { unique: false });
  await reconciler.reconcile();
  clock.now = idleMs;
  await reconciler.reconcile();
  const names = async () => (await worker.topology.listLanes('default')).map((lane) => lane.function);
  expect(await names()).toEqual(['b']);
  await eventually(() => !topology.hasLane('default', 'a'));
  await queue.accept(call('a'), { unique: false });
  expect((await names()).sort()).toEqual(['a', 'b']);
});

test('whenever a call is stored around the removal of its consumer, a worker receives it', async () => {
  await using worker = await connect(true);
  await using gateway = await connect(false);
  const { broker, topology } = gateway;
  followDeletedLanes(broker, (lane) => topology.forgetLane(lane.queue, lane.function));
  const queue = new CallQueue({ broker, topology, publisher: new Publisher(broker), register: everyName() });
  const { reconciler, clock } = createKeeper(worker.topology);
  const names = Array.from({ length: 40 }, (_, index) => `raced-${index}`);
  for (const name of names) {
    await topology.ensureFunction({ name, queue: 'default', concurrency: undefined });
  }
  await reconciler.reconcile();
  clock.now = idleMs;
  // nats-server may fail to do both at once with the same consumer: the next round tries again, like that of a worker.
  const round = () => reconciler.reconcile().catch(() => {});
  const removing = round();
  const accepted: string[] = [];
  for (const name of names) {
    const { kind } = await queue.accept(call(name), { unique: false });
    accepted.push(...(kind === 'stored' ? [name] : []));
  }
  await removing;
  expect(accepted.length).toBeGreaterThan(names.length / 2);
  await eventually(async () => {
    await round();
    const lanes = await worker.topology.listLanes('default');
    return accepted.every((name) => lanes.find((lane) => lane.function === name)?.pending === 1);
  });
});
