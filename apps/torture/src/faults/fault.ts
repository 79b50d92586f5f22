import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet, SmallDisk } from '@asyncfn/stack';
import { integerBelow, type Random } from '@asyncfn/testkit';
import type { BrokerLook } from '../broker/index.ts';
import type { Naps } from './naps.ts';

export interface FaultContext {
  readonly fleet: Fleet;
  readonly look: BrokerLook;
  readonly random: Random;
  /** The disk of the first node; undefined if the machine has none to give. */
  readonly disk?: SmallDisk | undefined;
  /** How far the clock of a process is off: a file that it reads, by the name of its seat. */
  readonly clockFile: (seat: string) => string;
  readonly naps: Pick<Naps, 'begin'>;
  readonly log: (line: string) => void;
}

/** Something that can be broken and repaired. */
export interface Fault {
  /** Verb and object: `kill worker`. */
  readonly name: string;
  /** Whose leases the fault may break: those of the one worker that it hits, all of them, or none. */
  readonly breaksLeases: 'its own' | 'all' | 'none';
  /** Fewest nodes with which the fault makes sense. */
  readonly nodes?: number;
  /** Whether it needs a disk that can be filled. */
  readonly needsDisk?: boolean;
  /** Picks the target. */
  aim(context: FaultContext): Aimed;
}

interface Aimed {
  /** The name of the target. */
  readonly target: string;
  /** How far clocks are off during the fault, in milliseconds: ahead, or behind if negative. */
  readonly jumpMs?: number;
  /** Breaks it, waits, and repairs it. Resolves once the processes that it has started are ready. */
  run(): Promise<void>;
}

/** Waits between `fromMs` and `toMs`, drawn from the seed. */
export async function someTime(random: Random, fromMs: number, toMs: number): Promise<void> {
  await delay(fromMs + integerBelow(random, toMs - fromMs));
}
