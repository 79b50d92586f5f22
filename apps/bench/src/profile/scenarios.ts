import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draining, underLoad, warmUp } from '../measuring/index.ts';
import type { Absence, Measurement, RunningSubject, Scale, Scenario } from '../scenario.ts';
import { type System, type SystemOptions, startAsyncfn, startBenchFunction } from '../systems/index.ts';
import { gatewayParts, type PartRule, partNames, workerParts } from './parts.ts';
import { profileOptions, readShares } from './profile.ts';

/** A warm system whose process `pid` writes a profile when it ends. */
interface Profiled {
  readonly running: RunningSubject | Absence;
  readonly pid: number;
}

type StartProfiled = (nodeOptions: string) => Promise<Profiled>;

/** How a gateway spends its CPU time. The profiler itself adds to every part. */
export function gatewayProfileScenario(options: SystemOptions): Scenario {
  return profileScenario('gateway', gatewayParts, (scale) => async (nodeOptions) => {
    const system = await startAsyncfn({ ...options, gatewayEnv: { NODE_OPTIONS: nodeOptions } });
    const running = await warmUp(underLoad(system, scale, { connections: 64, bodyBytes: 256 }), scale);
    return { running, pid: system.pids['gateway'] ?? 0 };
  });
}

/** How a worker spends its CPU time. */
export function workerProfileScenario(options: SystemOptions): Scenario {
  return profileScenario('worker', workerParts, (scale) => async (nodeOptions) => {
    const target = await startBenchFunction();
    const worker = { functionUrl: target.url, slots: 64 };
    const system: System = await startAsyncfn({ ...options, worker, workerEnv: { NODE_OPTIONS: nodeOptions } });
    const running = await warmUp(await draining(system, target, scale), scale);
    return { running, pid: system.workerPids[0] ?? 0 };
  });
}

function profileScenario(
  process: 'gateway' | 'worker',
  rules: readonly PartRule[],
  start: (scale: Scale) => StartProfiled,
): Scenario {
  const names = [`${process} µs/call`, ...partNames(rules)];
  return {
    name: `profile-${process}`,
    title: `CPU time of a ${process} by part, µs/call, when it is warm (64 connections or slots, 256 B)`,
    figures: names.map((name) => ({ name })),
    reference: 'asyncfn',
    cases: (scale) => [
      { name: '', subjects: [{ name: 'asyncfn', start: async () => profiled(start(scale), rules, names[0] ?? '') }] },
    ],
  };
}

/** A new process for each measurement, because the profile is written at its end. */
function profiled(start: StartProfiled, rules: readonly PartRule[], figure: string): RunningSubject {
  return { measure: () => measureParts(start, rules, figure), async [Symbol.asyncDispose]() {} };
}

async function measureParts(start: StartProfiled, rules: readonly PartRule[], figure: string): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-profile-'));
  try {
    const { running, pid } = await start(profileOptions(folder));
    if ('absent' in running) {
      throw new Error(running.absent);
    }
    await using subject = running;
    const since = Number(process.hrtime.bigint() / 1_000n);
    const { [figure]: total = Number.NaN } = await subject.measure();
    process.kill(pid, 'SIGTERM');
    const shares = await readShares({ folder, pid, since }, rules);
    return { [figure]: total, ...Object.fromEntries([...shares].map(([part, share]) => [part, share * total])) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
