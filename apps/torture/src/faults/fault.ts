import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet, SmallDisk } from '@asyncfn/stack';
import { integerBelow, type Random } from '@asyncfn/testkit';
import type { BrokerLook } from '../broker/index.ts';
import type { Naps } from './naps.ts';

export interface FaultContext {
  readonly fleet: Fleet;
  readonly look: BrokerLook;
  readonly random: Random;
  /** That of the first node; undefined where the machine has none to give. */
  readonly disk?: SmallDisk | undefined;
  /** What the clock of a process is off by: a file that it reads, by the name of its seat. */
  readonly clockFile: (seat: string) => string;
  readonly naps: Pick<Naps, 'begin'>;
  readonly log: (line: string) => void;
}

/** Something that can be broken, and made whole again. */
export interface Fault {
  /** Verb and object: `kill worker`. */
  readonly name: string;
  /** Whose leases may be lost by it: the one worker's that it is aimed at, all of them, or none. */
  readonly breaksLeases: 'its own' | 'all' | 'none';
  /** Fewest nodes that it makes sense with. */
  readonly nodes?: number;
  /** Whether it takes a disk that can be made full. */
  readonly needsDisk?: boolean;
  /** Picks what it is done to. */
  aim(context: FaultContext): Aimed;
}

interface Aimed {
  /** Whom it hits. */
  readonly target: string;
  /** What clocks are off by meanwhile, in milliseconds: ahead, or behind if negative. */
  readonly jumpMs?: number;
  /** Breaks it, waits, and mends it; what it started is ready again when this resolves. */
  run(): Promise<void>;
}

/** Waits between `fromMs` and `toMs`, drawn from the seed. */
export async function someTime(random: Random, fromMs: number, toMs: number): Promise<void> {
  await delay(fromMs + integerBelow(random, toMs - fromMs));
}
