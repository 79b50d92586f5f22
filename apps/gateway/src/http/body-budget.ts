/** The part of the budget that one body has. */
export interface BodyShare {
  /**
   * Reports how much more of the body has arrived.
   * @returns false if the body has outgrown its share and there is no room for more
   */
  arrived(bytes: number): boolean;
  /** Reports how much of the body has left the memory: it makes room for more. */
  left(bytes: number): void;
  /** The body has arrived completely, so its client is no longer slow. */
  complete(): void;
  /** The body is no longer held. Legal any number of times. */
  release(): void;
}

export interface BodyBudgetOptions {
  readonly limitBytes: number;
  /** How long a body may take before it counts as slow, in milliseconds. Default 5,000. */
  readonly graceMs?: number;
  /** Bytes a second. A slower body may be given up if other bodies need its room. Default 16 KiB. */
  readonly slowBytesPerSecond?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** A body of up to this size counts as small. */
const smallBytes = 64 * 1024;

/** The part of the budget that only small bodies may use, so that large ones cannot keep them out. */
const partForSmall = 1 / 8;

/** The part of the budget that all large bodies together may use. */
export function roomForLarge(limitBytes: number): number {
  return Math.floor(limitBytes * (1 - partForSmall));
}

/** The request for a share of the budget. */
interface Need {
  /** Bytes of the whole body so far. */
  readonly size: number;
  readonly owner: string | undefined;
  /** Is not given up for it. */
  readonly except?: Holding;
}

/** An owner may hold this many times what it leaves free for others. */
const greed = 2;

/** One body that is held, in a list of all in the order of their start. */
interface Holding {
  reserved: number;
  arrived: number;
  /** Of what has arrived. */
  left: number;
  complete: boolean;
  readonly startedAt: number;
  lastArrivalAt: number;
  readonly owner: string | undefined;
  /** Undefined once the share is released. */
  giveUp: (() => void) | undefined;
  before: Holding | undefined;
  after: Holding | undefined;
}

/**
 * Limits the bytes of bodies that the gateway holds at once, from the first byte to the answer of the queue.
 *
 * An eighth is reserved for small bodies. A body reserves its share before any of it is read: with growing shares, a
 * hundred bodies that do not fit at the same time would all arrive halfway and none completely. Slow bodies, which have
 * made no progress for a while or were slow from the start, are evicted if others need their room. Otherwise a few
 * clients could block all others by announcing bodies that they do not send.
 *
 * `ResultSender` uses the same budget for results that are being sent.
 */
export class BodyBudget {
  readonly #limitBytes: number;
  readonly #graceMs: number;
  readonly #slowBytesPerSecond: number;
  readonly #now: () => number;
  /** Ends of the list. Sets and arrays are too expensive at this turnover: see `PendingTable`. */
  #first: Holding | undefined;
  #last: Holding | undefined;
  /** By owner. */
  readonly #held = new Map<string, number>();
  #usedBytes = 0;

  constructor({ limitBytes, graceMs = 5_000, slowBytesPerSecond = 16 * 1024, now }: BodyBudgetOptions) {
    this.#limitBytes = limitBytes;
    this.#graceMs = graceMs;
    this.#slowBytesPerSecond = slowBytesPerSecond;
    this.#now = now ?? performance.now.bind(performance);
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Never more than the limit. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * @param bytes announced length of the body; 0 if it is not known
   * @param giveUp called if the body is slow and others need its room; must end the body. The share is already
   * released.
   * @param owner may hold at most twice what it leaves free for others, or a single body. Default: no such limit
   * @returns undefined if there is no room
   */
  open(bytes: number, giveUp: () => void, owner?: string): BodyShare | undefined {
    if (!this.#makeRoom(bytes, { size: bytes, owner })) {
      return undefined;
    }
    const startedAt = this.#now();
    const holding: Holding = {
      reserved: bytes,
      arrived: 0,
      left: 0,
      complete: false,
      startedAt,
      lastArrivalAt: startedAt,
      owner,
      giveUp,
      before: undefined,
      after: undefined,
    };
    this.#count(bytes, owner);
    this.#append(holding);
    return {
      arrived: (more) => this.#arrived(holding, more),
      left: (less) => {
        holding.left += less;
      },
      complete: () => {
        holding.complete = true;
      },
      release: () => this.#release(holding),
    };
  }

  #arrived(holding: Holding, bytes: number): boolean {
    if (holding.giveUp === undefined) {
      return false;
    }
    holding.arrived += bytes;
    holding.lastArrivalAt = this.#now();
    const missing = holding.arrived - holding.left - holding.reserved;
    if (missing <= 0) {
      return true;
    }
    if (!this.#makeRoom(missing, { size: holding.arrived - holding.left, owner: holding.owner, except: holding })) {
      return false;
    }
    holding.reserved += missing;
    this.#count(missing, holding.owner);
    return true;
  }

  /** Evicts slow bodies, oldest first, only if that frees enough. */
  #makeRoom(bytes: number, { size, owner, except }: Need): boolean {
    const limit = size > smallBytes ? roomForLarge(this.#limitBytes) : this.#limitBytes;
    let used = this.#usedBytes + bytes;
    let own = (owner === undefined ? 0 : (this.#held.get(owner) ?? 0)) + bytes;
    const alone = bytes + (except?.reserved ?? 0);
    const fits = (): boolean =>
      owner === undefined
        ? used <= limit
        : used === bytes || (used <= limit && (used === alone || own <= greed * (limit - used)));
    const victims: Holding[] = [];
    for (let holding = this.#first; holding !== undefined && !fits(); holding = holding.after) {
      if (holding !== except && this.#isSlow(holding)) {
        victims.push(holding);
        used -= holding.reserved;
        own -= holding.owner === owner ? holding.reserved : 0;
      }
    }
    if (!fits()) {
      return false;
    }
    for (const victim of victims) {
      const { giveUp } = victim;
      this.#release(victim);
      giveUp?.();
    }
    return true;
  }

  #isSlow({ complete, startedAt, lastArrivalAt, arrived, reserved }: Holding): boolean {
    const ageMs = this.#now() - startedAt;
    const isStalled = this.#now() - lastArrivalAt > this.#graceMs;
    const isSlow = ageMs > this.#graceMs && arrived / ageMs < this.#slowBytesPerSecond / 1000;
    return !complete && reserved > 0 && (isStalled || isSlow);
  }

  #count(bytes: number, owner: string | undefined): void {
    this.#usedBytes += bytes;
    if (owner === undefined) {
      return;
    }
    const held = (this.#held.get(owner) ?? 0) + bytes;
    if (held === 0) {
      this.#held.delete(owner);
    } else {
      this.#held.set(owner, held);
    }
  }

  #release(holding: Holding): void {
    if (holding.giveUp === undefined) {
      return;
    }
    this.#remove(holding);
    // A remaining reference to the share must not keep its request alive.
    holding.giveUp = undefined;
    this.#count(-holding.reserved, holding.owner);
  }

  #append(holding: Holding): void {
    holding.before = this.#last;
    if (this.#last === undefined) {
      this.#first = holding;
    } else {
      this.#last.after = holding;
    }
    this.#last = holding;
  }

  #remove(holding: Holding): void {
    const { before, after } = holding;
    if (before === undefined) {
      this.#first = after;
    } else {
      before.after = after;
    }
    if (after === undefined) {
      this.#last = before;
    } else {
      after.before = before;
    }
    holding.before = undefined;
    holding.after = undefined;
  }
}
