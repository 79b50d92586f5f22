import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { followPausedLanes, type LaneId, type LaneTarget, QueueTopology } from '../src/jetstream/index.ts';
import type { Resumption } from '../src/jetstream/layout/index.ts';
import { createBroker, startServer, uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, startGatewaySide, startWorkerSide, type WorkerSide } from './harness.ts';

function target(queue: string, changes: Partial<LaneTarget> = {}): LaneTarget {
  return { name: 'echo', queue, concurrency: undefined, ...changes };
}

async function paused({ topology }: WorkerSide, queue: string): Promise<boolean | undefined> {
  return (await topology.listLanes(queue)).find((lane) => lane.function === 'echo')?.paused;
}

/** Requests calls again and again, like a worker, until `count` have come. */
function pull({ source, deliveries }: WorkerSide, queue: string, count: number): Promise<unknown> {
  return eventually(() => {
    if (source.open({ queue, function: 'echo' }) === 0 && deliveries.length < count) {
      source.request({ queue, function: 'echo' }, count - deliveries.length, 1_000);
    }
    return deliveries.length === count;
  });
}

describe('a paused function', () => {
  test('has its calls accepted but not handed out, lets those in flight be settled, and continues when resumed', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), {
      queues: [queue],
      functions: [functionConfig('echo', queue)],
    });
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await worker.topology.ensureFunction(target(queue));
    await gateway.queue.accept(buildCall(queue), { unique: false });
    await pull(worker, queue, 1);
    await gateway.topology.pauseFunction('echo', true);
    expect(await gateway.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ kind: 'stored' });

    worker.source.request({ queue, function: 'echo' }, 5, 300);
    worker.deliveries[0]!.ack();
    await eventually(() => worker.unfilled.length === 1);
    expect(worker.deliveries).toHaveLength(1);
    expect(await worker.topology.listLanes(queue)).toMatchObject([{ pending: 1, inFlight: 0, paused: true }]);

    await gateway.topology.pauseFunction('echo', false);
    await pull(worker, queue, 2);
  });

  test('ends a request of a worker when that is over and not before: no worker spins', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await using gateway = await startGatewaySide(inject('natsUrl'), {
      queues: [queue],
      functions: [functionConfig('echo', queue)],
    });
    await worker.topology.ensureFunction(target(queue, { paused: true }));
    await gateway.queue.accept(buildCall(queue), { unique: false });
    const startedAt = performance.now();
    worker.source.request({ queue, function: 'echo' }, 1, 1_000);
    await eventually(() => worker.unfilled.length === 1);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
  });

  test('stays paused when a worker changes its consumer, or creates it again', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await worker.topology.ensureFunction(target(queue, { paused: true }));
    expect(await paused(worker, queue)).toBe(true);
    await worker.topology.ensureFunction(target(queue, { paused: true, concurrency: 7 }));
    expect(await paused(worker, queue)).toBe(true);
    await worker.topology.removeLane(queue, 'echo');
    await worker.topology.ensureFunction(target(queue, { paused: true }));
    expect(await paused(worker, queue)).toBe(true);
    await worker.topology.ensureFunction(target(queue, { paused: false }));
    expect(await paused(worker, queue)).toBe(false);
  });

  test('stays paused when a worker that does not know of the pause sets it up', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await worker.topology.ensureFunction(target(queue, { paused: true }));
    await using starting = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await starting.topology.ensureFunction(target(queue, { paused: undefined, concurrency: 3 }));
    expect(await paused(starting, queue)).toBe(true);
    await starting.topology.ensureFunction(target(queue, { paused: false, concurrency: 3 }));
    expect(await paused(starting, queue)).toBe(false);
  });

  test('has a consumer that is paused from the first when a gateway creates it', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
    await gateway.topology.ensureFunction(target(queue, { paused: true }));
    expect(await gateway.topology.listLanes(queue)).toMatchObject([{ paused: true }]);
  });

  test('stays paused over a restart of the broker', async () => {
    await using server = await startServer();
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(server.url, { queues: [queue] });
    await worker.topology.ensureFunction(target(queue));
    await worker.topology.pauseFunction('echo', true);
    await server.restart();
    await eventually(() => worker.topology.ready);
    expect(await paused(worker, queue)).toBe(true);
  });

  test('without any consumer is paused without an error', async () => {
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [uniqueQueue()] });
    await gateway.topology.pauseFunction(`unknown-${uniqueQueue()}`, true);
  });
});

describe('a request that was made while a function was paused', () => {
  async function standing(count: number) {
    const queue = uniqueQueue();
    const gateway = await startGatewaySide(inject('natsUrl'), {
      queues: [queue],
      functions: [functionConfig('echo', queue)],
    });
    const worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    onTestFinished(async () => {
      await gateway[Symbol.asyncDispose]();
      await worker[Symbol.asyncDispose]();
    });
    const lane = { queue, function: 'echo' };
    await worker.topology.ensureFunction(target(queue, { paused: true }));
    for (let sent = 0; sent < count; sent++) {
      await gateway.queue.accept(buildCall(queue), { unique: false });
    }
    worker.source.request(lane, 1, 15_000);
    await worker.broker.connection?.flush();
    return { queue, lane, gateway, worker };
  }

  test('is served when the worker makes the broker check again, with one call and no more', async () => {
    const { lane, gateway, worker } = await standing(5);
    await gateway.topology.pauseFunction('echo', false);
    worker.source.wake(lane);
    await eventually(() => worker.deliveries.length === 1);
    // A second check, after the request has been served: no request is left.
    worker.source.wake(lane);
    await worker.topology.findLane(lane.queue, 'echo');
    await eventually(async () => (await worker.topology.findLane(lane.queue, 'echo'))?.inFlight === 1);
    expect(worker.deliveries).toHaveLength(1);
    expect(worker.source.open(lane)).toBe(0);
    expect([worker.unfilled, worker.gone]).toEqual([[], []]);
  });

  test('stays while there are no calls, however often the broker checks', async () => {
    const { queue, lane, gateway, worker } = await standing(0);
    await gateway.topology.pauseFunction('echo', false);
    for (let look = 0; look < 3; look++) {
      worker.source.wake(lane);
    }
    await worker.broker.connection?.flush();
    await gateway.queue.accept(buildCall(queue), { unique: false });
    await eventually(() => worker.deliveries.length === 1);
  });

  test('is served when the pause ends by itself', async () => {
    const { queue, worker } = await standing(1);
    await worker.topology.manager.consumers.pause(`CALLS_${queue}`, 'echo', new Date(Date.now() + 500));
    await eventually(() => worker.deliveries.length === 1);
  });

  test('is reported by the broker when the consumer is resumed, and when the pause ends by itself', async () => {
    const { queue, lane, worker } = await standing(1);
    const heard: LaneId[] = [];
    followPausedLanes(worker.broker, (changed) => changed.queue === queue && heard.push(changed));
    await worker.broker.connection?.flush();
    await worker.topology.manager.consumers.resume(`CALLS_${queue}`, 'echo');
    await eventually(() => heard.length === 1);
    await worker.topology.manager.consumers.pause(`CALLS_${queue}`, 'echo', new Date(Date.now() + 500));
    await eventually(() => heard.length === 3);
    expect(heard).toEqual([lane, lane, lane]);
  });
});

describe('a consumer of a function that may be paused or not', () => {
  function startSide(ownsLanes: boolean, isPaused: (name: string) => boolean | undefined, ...answers: Resumption[]) {
    const { broker, logger } = createBroker(inject('natsUrl'));
    const topology = new QueueTopology(broker, {
      replicas: 1,
      ackWaitMs: 30_000,
      ownsLanes,
      queues: () => [],
      isPaused,
      mayResume: () => Promise.resolve(answers.shift() ?? 'yes'),
      logger,
      onFatal: () => {},
    });
    broker.start();
    onTestFinished(() => broker.stop());
    return topology;
  }

  test.each([
    ['gateway', false],
    ['worker', true],
  ])('is not made by a %s', async (_, ownsLanes) => {
    const queue = uniqueQueue();
    let isKnown = false;
    const topology = startSide(ownsLanes, () => (isKnown ? true : undefined));
    await eventually(() => topology.ready);
    await expect(topology.ensureFunction(target(queue))).rejects.toMatchObject({ code: 'broker', temporary: true });
    expect(await topology.listLanes(queue)).toEqual([]);
    isKnown = true;
    await topology.ensureFunction(target(queue));
    expect(await topology.listLanes(queue)).toMatchObject([{ function: 'echo', paused: true }]);
  });

  test.each([
    ['is not resumed by a worker with outdated information', ['paused'], true],
    ['is not resumed by a worker while its gateway may be about to do so', ['not_yet'], true],
    ['is paused again if it was paused while a worker resumed it', ['yes', 'paused'], true],
    ['is left to the gateway if it was paused and resumed while a worker resumed it', ['yes', 'not_yet'], false],
  ] as const)('%s', async (_, answers, isPaused) => {
    const queue = uniqueQueue();
    await using current = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await current.topology.ensureFunction(target(queue, { paused: true }));
    const worker = startSide(true, () => false, ...answers);
    await eventually(() => worker.ready);
    await worker.ensureFunction(target(queue));
    expect(await paused(current, queue)).toBe(isPaused);
  });
});
