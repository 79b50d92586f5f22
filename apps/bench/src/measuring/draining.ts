import { eventually } from '@asyncfn/testkit';
import { putLoad } from '../load/index.ts';
import { cpuMicros } from '../processes/index.ts';
import type { Absence, RunningSubject, Scale } from '../scenario.ts';
import type { BenchFunction, System } from '../systems/index.ts';

export const drainFigures = [
  { name: 'calls/s', compared: true },
  { name: 'worker µs/call' },
  { name: 'broker µs/call' },
];

/** What the calls of a backlog have besides their bodies. */
export interface Backlog {
  /** Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Flow keys that they have in turn. Default 0: none has one. */
  readonly keys?: number;
}

/**
 * A system that is measured by how fast it runs a backlog: the queue is filled while the workers stand still, and the
 * function reports how fast the calls came. The function is stopped with the system, and at once if the system does not
 * start.
 */
export async function draining(
  system: System | Absence,
  target: BenchFunction,
  scale: Scale,
  { headers = {}, keys = 0 }: Backlog = {},
): Promise<RunningSubject | Absence> {
  if ('absent' in system) {
    await target[Symbol.asyncDispose]();
    return system;
  }
  return {
    async measure() {
      await target.hold();
      await target.reset();
      const load = { connections: 64, bodyBytes: 256, headers, keys, warmUpMs: 0, durationMs: scale.fillMs, pids: {} };
      const { total, seconds } = await putLoad({ ...system.intake, ...load });
      const before = await readCpu(system);
      await target.release();
      await untilCalled(target, total);
      const after = await readCpu(system);
      const { perSecond, perSecondOverall, count } = await target.report();
      return {
        'calls/s': perSecond,
        'calls/s overall': perSecondOverall,
        'accepted/s': total / seconds,
        'worker µs/call': (after.worker - before.worker) / count,
        'broker µs/call': (after.broker - before.broker) / count,
      };
    },
    async [Symbol.asyncDispose]() {
      await target.release();
      await system[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

async function untilCalled(target: BenchFunction, total: number): Promise<void> {
  await eventually(async () => (await target.report()).count >= total, {
    timeoutMs: 120_000,
    message: `the function is not called ${total} times`,
  });
}

async function readCpu({ workerPids, pids }: System): Promise<{ worker: number; broker: number }> {
  const workers = await Promise.all(workerPids.map(async (pid) => (await cpuMicros(pid)) ?? Number.NaN));
  const broker = (await cpuMicros(pids['broker'] ?? 0)) ?? Number.NaN;
  return { worker: workers.reduce((sum, micros) => sum + micros, 0), broker };
}
