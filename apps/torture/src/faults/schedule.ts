import { setTimeout as delay } from 'node:timers/promises';
import { eventually, integerBelow, type Random } from '@asyncfn/testkit';
import type { History } from '../history/index.ts';
import { brokerFaults } from './broker-faults.ts';
import { clockFaults } from './clock-faults.ts';
import { diskFaults } from './disk-faults.ts';
import type { Fault, FaultContext } from './fault.ts';
import { functionFaults } from './function-faults.ts';
import { isHealthy } from './health.ts';
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
  /** Longest pause between two faults, in milliseconds; the shortest is half of it. */
  readonly gapMs: number;
}

/**
 * Causes one fault after the other until the signal aborts, in an order that the seed decides: every fault happens once
 * before one happens twice. Resolves when the last one is repaired. Rejects if something does not recover.
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
    // It ends when its consequences do: a client finds a moment later that its connection works again.
    await eventually(() => isWell(fleet), { timeoutMs: 90_000, intervalMs: 100, message: 'not all become ready' });
  } catch (cause) {
    throw new Error(`after fault ${number} (${name}, ${target}):\n${fleet.tails}`, { cause });
  } finally {
    history.record({ ...event, phase: 'ends' });
  }
  log(`fault ${number}: over after ${Math.round(performance.now() - startedAt)} ms`);
}

/**
 * A cluster has caught up as well: with replicas, a second server that fails before that may take confirmed messages
 * with it (docs/durability.md).
 */
async function isWell({ gateways, workers, nodes }: FaultContext['fleet']): Promise<boolean> {
  const answers = await Promise.all([...gateways, ...workers].map(({ process }) => process.ops('/readyz')));
  const healths = nodes.length > 1 ? await Promise.all(nodes.map(({ server }) => isHealthy(server))) : [];
  return answers.every(({ status }) => status === 200) && healths.every((healthy) => healthy);
}

/** All faults, shuffled again for each round (Fisher and Yates). */
function* rounds(faults: readonly Fault[], random: Random): Generator<Fault> {
  while (faults.length > 0) {
    const round = [...faults];
    while (round.length > 0) {
      yield* round.splice(integerBelow(random, round.length), 1);
    }
  }
}
