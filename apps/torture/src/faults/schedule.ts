import { setTimeout as delay } from 'node:timers/promises';
import { eventually, integerBelow, type Random } from '@asyncfn/testkit';
import type { History } from '../history/index.ts';
import { brokerFaults } from './broker-faults.ts';
import { clockFaults } from './clock-faults.ts';
import { diskFaults } from './disk-faults.ts';
import type { Fault, FaultContext } from './fault.ts';
import { functionFaults } from './function-faults.ts';
import { networkFaults } from './network-faults.ts';
import { processFaults } from './process-faults.ts';

export const allFaults: readonly Fault[] = [
  ...processFaults,
  ...functionFaults,
  ...networkFaults,
  ...brokerFaults,
  ...diskFaults,
  ...clockFaults,
];

export interface ScheduleOptions extends FaultContext {
  readonly faults: readonly Fault[];
  readonly history: History;
  /** Pause between two faults in milliseconds, the longest; the shortest is half of it. */
  readonly gapMs: number;
}

/**
 * Breaks one thing after the other until the signal aborts, in an order that the seed decides: every fault comes once
 * before one comes twice. Resolves when the last one is mended. Rejects when something does not come back.
 */
export async function runFaults(options: ScheduleOptions, signal: AbortSignal): Promise<number> {
  const { random, gapMs } = options;
  let done = 0;
  for (const fault of rounds(options.faults, random)) {
    await delay(gapMs / 2 + integerBelow(random, gapMs / 2 + 1), undefined, { signal }).catch(() => {});
    if (signal.aborted) {
      break;
    }
    done += 1;
    await runFault(fault, done, options);
  }
  return done;
}

async function runFault(fault: Fault, number: number, options: ScheduleOptions): Promise<void> {
  const { history, log, fleet } = options;
  const { target, ...aimed } = fault.aim(options);
  const { name } = fault;
  const breaksLeasesOf = fault.breaksLeases === 'its own' ? target : fault.breaksLeases;
  const event = { kind: 'fault', fault: number, name, target, breaksLeasesOf, jumpMs: aimed.jumpMs } as const;
  const startedAt = performance.now();
  history.record({ ...event, phase: 'begins' });
  log(`fault ${number}: ${name}, ${target}`);
  try {
    await aimed.run();
    // It ends when its consequences do: a line that is whole again is found by its client only a moment later.
    await eventually(() => isWell(fleet), { timeoutMs: 90_000, intervalMs: 100, message: 'not all become ready' });
  } catch (cause) {
    throw new Error(`after fault ${number} (${name}, ${target}):\n${fleet.tails}`, { cause });
  } finally {
    history.record({ ...event, phase: 'ends' });
  }
  log(`fault ${number}: over after ${Math.round(performance.now() - startedAt)} ms`);
}

async function isWell({ gateways, workers }: FaultContext['fleet']): Promise<boolean> {
  const answers = await Promise.all([...gateways, ...workers].map(({ process }) => process.ops('/readyz')));
  return answers.every(({ status }) => status === 200);
}

/** All of them, shuffled anew each time (Fisher and Yates). */
function* rounds(faults: readonly Fault[], random: Random): Generator<Fault> {
  while (faults.length > 0) {
    const round = [...faults];
    while (round.length > 0) {
      yield* round.splice(integerBelow(random, round.length), 1);
    }
  }
}
