import type { Responsiveness } from './responsiveness.ts';

/** A part of all slots, shared by all claims that name its key. */
export interface Share {
  readonly key: string;
  /** Most slots taken from it at once. */
  readonly max: number;
  /** How much of `max` this claim may use. */
  readonly responsiveness: Responsiveness;
}

/** A request for a slot. */
export interface Claim {
  /** How many of all slots it may use. */
  readonly responsiveness: Responsiveness;
  /** Each must have room. The first one weighs most in the decision which claim is next. */
  readonly shares: readonly Share[];
}

/** Releases the slot. Call it once. */
export type Release = () => void;

/** How many claims may wait for each slot. More would only hold in memory what the broker can keep. */
const waitingPerSlot = 10;

/** The part of a share that claims of each responsiveness may use. */
const usable: Readonly<Record<Responsiveness, number>> = { answering: 1, unknown: 1 / 2, hanging: 1 / 4 };

interface Count {
  all: number;
  /** Of these, by claims that are not `answering`. */
  unproven: number;
}

/** How many slots are taken from a share, or how many claims wait for it. */
interface Usage {
  readonly taken: Count;
  readonly waiting: Count;
}

/** Waiting claims of one kind, in order of arrival. */
interface Line {
  readonly claim: Claim;
  readonly shares: readonly Share[];
  readonly grants: Set<() => void>;
}

/**
 * Allocates slots so that receivers that hang take nothing from those that answer. Slots are limited in total and for
 * each share that a claim names. Half of every limit is kept for claims that are `answering`; claims that are `hanging`
 * get a quarter.
 *
 * A claim that finds no slot may wait a little. The next slot goes to the claim whose shares hold least; equal claims
 * take turns.
 */
export class FairSlots {
  readonly #max: number;
  /** Shares with a slot taken or a claim waiting. */
  readonly #usages = new Map<string, Usage>();
  /** The queue that was served last comes last. */
  readonly #lines = new Map<string, Line>();

  /** @param max slots in total */
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
   * Takes a slot, waiting up to `waitMs` for it. Resolves with undefined if none became free, at once if too many
   * already wait, and as soon as `signal` aborts.
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

  /** One released slot may admit several claims: each may have waited for another of its shares. */
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

/** The key of the share of all slots. No other key is empty. */
const everything = '';

function hasRoom(count: Count | undefined, { max, responsiveness }: Share, times: number): boolean {
  const { all, unproven } = count ?? { all: 0, unproven: 0 };
  const isProven = responsiveness === 'answering';
  return all < max * times && (isProven || unproven < Math.ceil(max * usable[responsiveness]) * times);
}
