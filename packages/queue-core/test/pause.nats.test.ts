import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import type { LaneTarget } from '../src/index.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, startGatewaySide, startWorkerSide, type WorkerSide } from './harness.ts';

function target(queue: string, changes: Partial<LaneTarget> = {}): LaneTarget {
  return { name: 'echo', queue, concurrency: undefined, ...changes };
}

async function paused({ topology }: WorkerSide, queue: string): Promise<boolean | undefined> {
  return (await topology.listLanes(queue)).find((lane) => lane.function === 'echo')?.paused;
}

/** Asks for calls again and again, as a worker does, until `count` have come. */
function pull({ source, deliveries }: WorkerSide, queue: string, count: number): Promise<unknown> {
  return eventually(() => {
    if (source.open({ queue, function: 'echo' }) === 0 && deliveries.length < count) {
      source.request({ queue, function: 'echo' }, count - deliveries.length, 1_000);
    }
    return deliveries.length === count;
  });
}

describe('a paused function', () => {
  test('has its calls accepted but not handed out, lets those in hand be settled, and goes on when resumed', async () => {
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
    worker.deliveries[0]!.done();
    await eventually(() => worker.unfilled.length === 1);
    expect(worker.deliveries).toHaveLength(1);
    expect(await worker.topology.listLanes(queue)).toMatchObject([{ pending: 1, inFlight: 0, paused: true }]);

    await gateway.topology.pauseFunction('echo', false);
    await pull(worker, queue, 2);
  });

  test('ends a request of a worker when that is over and not before: nobody spins', async () => {
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

  test('stays paused when a worker changes its consumer, or makes it anew', async () => {
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

  test('stays paused when a worker sets it up that does not know of it yet', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await worker.topology.ensureFunction(target(queue, { paused: true }));
    await using starting = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await starting.topology.ensureFunction(target(queue, { paused: undefined, concurrency: 3 }));
    expect(await paused(starting, queue)).toBe(true);
    await starting.topology.ensureFunction(target(queue, { paused: false, concurrency: 3 }));
    expect(await paused(starting, queue)).toBe(false);
  });

  test('has a consumer that is paused from the first when a gateway makes it', async () => {
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
    await eventually(() => worker.topology.ready, { timeoutMs: 10_000 });
    expect(await paused(worker, queue)).toBe(true);
  });

  test('that has no consumer anywhere is paused without an error', async () => {
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [uniqueQueue()] });
    await gateway.topology.pauseFunction(`nobody-${uniqueQueue()}`, true);
  });
});
