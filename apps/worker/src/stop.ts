import { type OpsServer, runPhases, sleep } from '@asyncfn/service-kit';
import type { WorkerParts } from './worker-parts.ts';

/** Time for what must be told to the broker at the end. */
const brokerMs = 5_000;

/**
 * Stops a worker so that nothing is lost and nothing doubled (P8): no new calls, those in hand finish, what is left
 * when the time is up goes back to the queue.
 */
export async function stopWorker(parts: WorkerParts, ops: OpsServer, shutdownTimeoutMs: number): Promise<void> {
  const { logger, stop, source, dispatcher, leases, callbackLeases, publisher, broker } = parts;
  const { clean } = await runPhases(
    [
      {
        name: 'close intake',
        timeoutMs: brokerMs,
        run: () => {
          stop.abort();
          dispatcher.stop();
          return source.stop();
        },
      },
      {
        name: 'finish calls',
        timeoutMs: brokerMs + shutdownTimeoutMs,
        run: () => finishCalls(parts, shutdownTimeoutMs),
      },
      {
        name: 'hand back calls',
        timeoutMs: brokerMs,
        run: () => handBackCalls(parts),
      },
      {
        name: 'close connections',
        timeoutMs: brokerMs,
        run: async () => {
          leases.stop();
          callbackLeases.stop();
          source.flush();
          await publisher.flush();
          await broker.stop();
          await Promise.all([parts.agent.destroy(), parts.callbackAgent.destroy()]);
        },
      },
      { name: 'export traces', timeoutMs: brokerMs, run: () => parts.tracing.stop() },
      { name: 'close operations', timeoutMs: brokerMs, run: () => ops.stop() },
    ],
    { logger },
  );
  if (!clean) {
    throw new Error('the worker did not stop cleanly: see the phases above');
  }
}

/** Cuts short what is still running. What has not been settled by then goes back to the queue. */
async function handBackCalls(parts: WorkerParts): Promise<void> {
  const held = parts.leases.deliveries();
  parts.cutShort.abort();
  await whenIdle(parts);
  const left = held.filter((delivery) => !delivery.settled);
  await Promise.all(left.map((delivery) => parts.handBack(delivery)));
}

/** Resolves when no call, no callback and no word of an expiry is in hand. */
async function whenIdle({ dispatcher, runner, callbacks, expiries }: WorkerParts): Promise<void> {
  await dispatcher.whenIdle();
  await Promise.all([runner.whenSettled(), callbacks.whenIdle(), expiries.whenIdle()]);
}

/** Waits for the calls in hand, but no longer than the set time: that some are left is no failure. */
async function finishCalls(parts: WorkerParts, timeoutMs: number): Promise<void> {
  const { leases, logger } = parts;
  const idle = new AbortController();
  await Promise.race([whenIdle(parts), sleep(timeoutMs, idle.signal)]);
  idle.abort();
  const calls = leases.deliveries().length;
  if (calls > 0) {
    logger.warn({ calls, timeoutMs }, 'calls are still running and go back to the queue');
  }
}
