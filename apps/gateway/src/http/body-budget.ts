/** The part of the budget that one body has. */
export interface BodyShare {
  /**
   * So much more of the body is there.
   * @returns false if it has outgrown what was asked for, and there is no room for more
   */
  arrived(bytes: number): boolean;
  /** The body is there whole: it waits for nobody but us. */
  complete(): void;
  /** The body is no longer held. Legal any number of times. */
  release(): void;
}

export interface BodyBudgetOptions {
  readonly limitBytes: number;
  /** How long a body may take before it counts as slow, in milliseconds. Default 5,000. */
  readonly graceMs?: number;
  /** A body that arrives more slowly makes room for others when there is none left. Default 16 KiB. */
  readonly slowBytesPerSecond?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Up to this size a body counts as small. */
const smallBytes = 64 * 1024;

/** The part of the budget that only small bodies may use, so that large ones cannot keep them out. */
const partForSmall = 1 / 8;

/** What bodies that are not small may take together of a budget. */
export function roomForLarge(limitBytes: number): number {
  return Math.floor(limitBytes * (1 - partForSmall));
}

/** What a body needs room for. */
interface Need {
  /** Of the whole body, as far as it has come. */
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
 * How many bytes of bodies the gateway holds at once, from the first to the answer of the queue.
 *
 * An eighth of it is for small bodies alone. A body has its share from the start, before any of it is read: with shares that grow, a hundred bodies that do not fit
 * side by side would all come halfway and none to its end. So that a few clients cannot keep everybody else out by
 * announcing bodies that they do not send, slow bodies are given up as soon as somebody needs their room: those that have not
 * come on for a while, or were slow all along.
 *
 * What is sent has the same needs as what is received: `ResultSender` counts results by it.
 */
export class BodyBudget {
  readonly #limitBytes: number;
  readonly #graceMs: number;
  readonly #slowBytesPerSecond: number;
  readonly #now: () => number;
  /** Ends of the list. No Set and no array: see `PendingTable` for what they cost where so much comes and goes. */
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

  /** Never more than the limit. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * @param bytes of the body as it was announced; 0 where its length is not known
   * @param giveUp called when the body is slow and others need its room; has to end it. The share is released by then.
   * @param owner holds at most twice what it leaves free for others, or else one body alone. Default: there is no such limit
   * @returns undefined when there is no room
   */
  open(bytes: number, giveUp: () => void, owner?: string): BodyShare | undefined {
    if (!this.#makeRoom(bytes, { size: bytes, owner })) {
      return undefined;
    }
    const startedAt = this.#now();
    const holding: Holding = {
      reserved: bytes,
      arrived: 0,
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
    const missing = holding.arrived - holding.reserved;
    if (missing <= 0) {
      return true;
    }
    if (!this.#makeRoom(missing, { size: holding.arrived, owner: holding.owner, except: holding })) {
      return false;
    }
    holding.reserved += missing;
    this.#count(missing, holding.owner);
    return true;
  }

  /** Gives up slow bodies, the oldest first, but none in vain. */
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
    // Whatever still refers to the share keeps nothing of its request alive.
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
