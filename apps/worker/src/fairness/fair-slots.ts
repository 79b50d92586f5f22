import type { Responsiveness } from './responsiveness.ts';

/** A part of all slots, which everybody who names its key takes from together. */
export interface Share {
  readonly key: string;
  /** Most slots that are taken from it at once. */
  readonly max: number;
  /** How much of `max` this claim may use. */
  readonly responsiveness: Responsiveness;
}

/** What somebody asks a slot for. */
export interface Claim {
  /** How many of all slots it may use. */
  readonly responsiveness: Responsiveness;
  /** Each has to have room. The first one weighs most when it is decided who is next. */
  readonly shares: readonly Share[];
}

/** Gives the slot back. Legal once. */
export type Release = () => void;

/** How many may wait for each slot. More would only hold in memory what the broker can keep. */
const waitingPerSlot = 10;

/** The part of a share that stays free for those that have answered lately, and of it what those that hang may have. */
const usable: Readonly<Record<Responsiveness, number>> = { answering: 1, unknown: 1 / 2, hanging: 1 / 4 };

interface Count {
  all: number;
  /** Of those that have not answered lately. */
  unproven: number;
}

/** What is taken from a share, or waits for it. */
interface Usage {
  readonly taken: Count;
  readonly waiting: Count;
}

/** Claims of one kind that wait, in the order in which they came. */
interface Line {
  readonly claim: Claim;
  readonly shares: readonly Share[];
  readonly grants: Set<() => void>;
}

/**
 * Shares out slots so that those who hang take nothing from those who answer. Slots are limited in all and for each share
 * that a claim names. Of every limit, half is kept for claims that are `answering`; those that are `hanging` get a quarter.
 *
 * A claim that finds no slot may wait a little. Who is next is decided by how much its shares hold already: the least
 * goes first, and those that hold as much take turns.
 */
export class FairSlots {
  readonly #max: number;
  /** Shares with a slot taken or somebody waiting. */
  readonly #usages = new Map<string, Usage>();
  /** The line that was served last is the last one. */
  readonly #lines = new Map<string, Line>();

  /** @param max slots in all */
  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#usages.get(everything)?.taken.all ?? 0;
  }

  /** Slots that are free for a claim that is `answering` and whose shares have room. */
  get free(): number {
    return this.#max - this.taken;
  }

  /**
   * Takes a slot, waiting up to `waitMs` for it. Resolves with undefined if none became free, at once where too many wait
   * already, and as soon as `signal` aborts.
   */
  async take(claim: Claim, waitMs: number, signal: AbortSignal): Promise<Release | undefined> {
    const shares = [...claim.shares, { key: everything, max: this.#max, responsiveness: claim.responsiveness }];
    if (this.#fits(shares)) {
      return this.#grant(shares);
    }
    return waitMs <= 0 || signal.aborted || !this.#mayWait(shares)
      ? undefined
      : this.#wait(claim, shares, waitMs, signal);
  }

  #wait(claim: Claim, shares: readonly Share[], waitMs: number, signal: AbortSignal): Promise<Release | undefined> {
    const key = shares.map((share) => `${share.key} ${share.responsiveness}`).join('\n');
    const line = this.#lines.get(key) ?? { claim, shares, grants: new Set() };
    this.#lines.set(key, line);
    return new Promise((resolve) => {
      const end = (release: Release | undefined): void => {
        line.grants.delete(grant);
        if (line.grants.size === 0) {
          this.#lines.delete(key);
        }
        this.#count(shares, 'waiting', -1);
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(release);
      };
      const grant = (): void => end(this.#grant(shares));
      const giveUp = (): void => end(undefined);
      const timer = setTimeout(giveUp, waitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      line.grants.add(grant);
      this.#count(shares, 'waiting', 1);
    });
  }

  #grant(shares: readonly Share[]): Release {
    this.#count(shares, 'taken', 1);
    return () => {
      this.#count(shares, 'taken', -1);
      this.#serve();
    };
  }

  /** One slot that is given back may make room for several: each of them may have waited for another share of it. */
  #serve(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [key, line] = next;
      this.#lines.delete(key);
      this.#lines.set(key, line);
      for (const grant of line.grants) {
        grant();
        break;
      }
    }
  }

  #next(): [string, Line] | undefined {
    let next: [string, Line] | undefined;
    for (const entry of this.#lines) {
      const { shares } = entry[1];
      if (this.#fits(shares) && (next === undefined || this.#holdsLess(shares, next[1].shares))) {
        next = entry;
      }
    }
    return next;
  }

  #holdsLess(shares: readonly Share[], others: readonly Share[]): boolean {
    for (const [index, share] of shares.entries()) {
      const other = others[index];
      const difference = this.#takenFrom(share) - (other === undefined ? 0 : this.#takenFrom(other));
      if (difference !== 0) {
        return difference < 0;
      }
    }
    return false;
  }

  #takenFrom({ key }: Share): number {
    return this.#usages.get(key)?.taken.all ?? 0;
  }

  #fits(shares: readonly Share[]): boolean {
    return shares.every((share) => hasRoom(this.#usages.get(share.key)?.taken, share, 1));
  }

  #mayWait(shares: readonly Share[]): boolean {
    return shares.every((share) => hasRoom(this.#usages.get(share.key)?.waiting, share, waitingPerSlot));
  }

  #count(shares: readonly Share[], what: keyof Usage, by: 1 | -1): void {
    for (const { key, responsiveness } of shares) {
      const usage = this.#usages.get(key) ?? { taken: { all: 0, unproven: 0 }, waiting: { all: 0, unproven: 0 } };
      usage[what].all += by;
      usage[what].unproven += responsiveness === 'answering' ? 0 : by;
      if (usage.taken.all === 0 && usage.waiting.all === 0) {
        this.#usages.delete(key);
      } else {
        this.#usages.set(key, usage);
      }
    }
  }
}

/** The share of all. Keys of other shares say whose they are, so none is empty. */
const everything = '';

function hasRoom(count: Count | undefined, { max, responsiveness }: Share, times: number): boolean {
  const { all, unproven } = count ?? { all: 0, unproven: 0 };
  const isProven = responsiveness === 'answering';
  return all < max * times && (isProven || unproven < Math.ceil(max * usable[responsiveness]) * times);
}
