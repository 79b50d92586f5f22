import type { StoredLedger } from '@asyncfn/queue-core/rates';
import { copyOf, type Step } from './explore.ts';

/** A ledger as the broker has it. */
export interface StoredVersion {
  ledger: StoredLedger | null;
  at: number;
}

/** A write on its way. */
export interface LedgerWrite {
  /** Whether the ledger that its worker has read is still the newest. */
  isCurrent: boolean;
  ledger: StoredLedger;
  granted: number;
  sentAt: number;
  /** The count that it was planned for. */
  count: number;
}

export interface RateWorker {
  does: 'nothing' | 'wait for the broker' | 'read the answer' | 'nothing more';
  /** What it takes the rate to be. */
  count: number;
  write: LedgerWrite | null;
  wasStored: boolean;
  cold: number;
  /** When each start that is in its period was used. */
  hot: number[];
  /** Used starts that it has given back and that no stored ledger is known to have. */
  unreported: number[];
  /** When its lease ends, by its own clock. */
  leaseUntil: number;
  /** The count at its last stored write. */
  agreed: number;
}

export interface RateWorld {
  now: number;
  count: number;
  stored: StoredVersion;
  workers: RateWorker[];
  /** When calls were started: those of the last period. */
  starts: number[];
  left: number;
  crashes: number;
  lostAnswers: number;
  changes: number;
  /** Since when all workers know the count. */
  agreedAt: number | null;
  /** When a worker has died or lost an answer; null for never. */
  lastTroubleAt: number | null;
  offence: string | null;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface RateVariant {
  /** A write replaces whatever is stored. */
  readonly noExpectation?: boolean;
  /** The lease counts from the answer of the broker. */
  readonly leaseFromAnswer?: boolean;
  /** The lease does not matter. */
  readonly noLease?: boolean;
  /** A start that is given back counts as free at once. */
  readonly hotIsFree?: boolean;
  /** The starts of a holder that is gone are free before its lease has ended. */
  readonly freedEarly?: boolean;
  /** They are never free again. */
  readonly neverFree?: boolean;
  /** New starts are used before they are stored. */
  readonly grantedEarly?: boolean;
  /** Starts that are given back can be used until that is stored. */
  readonly returnedLate?: boolean;
  /** Used starts that a worker has given back do not count for it until a ledger shows them. */
  readonly hidesReturned?: boolean;
  /** A ledger has only the used starts of its writer. */
  readonly dropsUsed?: boolean;
  /** A lower rate counts only for new starts. */
  readonly keepsAll?: boolean;
}

export interface RateBounds {
  /** Of the rate: so many starts in a period. */
  readonly count: number;
  readonly calls: number;
  readonly ticks: number;
  readonly crashes: number;
  /** How many answers of the broker get lost. */
  readonly lostAnswers: number;
  /** Whether workers say that they need more, so that others give some back. */
  readonly fair?: boolean;
  /** Whether time may pass between a write and its answer. */
  readonly slowAnswers?: boolean;
  /** How far the clocks of workers are ahead of the broker's, in ticks: each write takes one of these. Default: 0. */
  readonly clocks?: readonly number[];
  /** What an operator changes the count to, once; undefined for no change. */
  readonly changedTo?: number;
}

/** A tick is a second. */
export const periodMs = 1_000;
export const leaseMs = 2_000;
export const tickMs = 1_000;

export function initialRates({ calls, count }: RateBounds): RateWorld {
  const worker: RateWorker = {
    does: 'nothing',
    count,
    write: null,
    wasStored: false,
    cold: 0,
    hot: [],
    unreported: [],
    leaseUntil: 0,
    agreed: count,
  };
  return {
    now: 0,
    count,
    stored: { ledger: null, at: 0 },
    workers: [worker, copyOf(worker)],
    starts: [],
    left: calls,
    crashes: 0,
    lostAnswers: 0,
    changes: 0,
    agreedAt: 0,
    lastTroubleAt: null,
    offence: null,
  };
}

export function rateStep(world: RateWorld, name: string, then: (next: RateWorld) => void): Step<RateWorld> {
  const next = copyOf(world);
  then(next);
  cool(next);
  const isDone = ({ agreed, does }: RateWorker): boolean => agreed === next.count || does === 'nothing more';
  if (next.agreedAt === null && next.workers.every(isDone)) {
    next.agreedAt = next.now;
  }
  return { name, next };
}

function cool(world: RateWorld): void {
  world.starts = world.starts.filter((at) => at + periodMs > world.now);
  for (const worker of world.workers) {
    const hot = worker.hot.filter((at) => at + periodMs > world.now);
    worker.cold += worker.hot.length - hot.length;
    worker.hot = hot;
  }
}
