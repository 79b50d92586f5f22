/** The bytes counted for one holder. */
export interface ByteShare {
  readonly bytes: number;
  /**
   * Reserves at least this many bytes.
   * @param onRoom called once, as soon as they are reserved, if that is not at once. Never after `release`
   * @returns whether they are reserved already
   */
  reserve(bytes: number, onRoom?: () => void): boolean;
  /** Reduces the reservation to this many bytes. Ends a wait for more. */
  shrink(bytes: number): void;
  /** Releases all bytes. May be called any number of times; the share can be used again. */
  release(): void;
}

/**
 * Bodies up to this size are not counted and never wait: large bodies of one caller do not delay small ones of another.
 * The worker's slots bound how many it holds.
 */
export const uncountedBytes = 16 * 1024;

/** An owner may hold this many times what it leaves free for others. */
const greed = 2;

/**
 * Bounds the bytes of one kind that the worker holds at once, and shares them between owners.
 *
 * An owner may hold twice as much as it leaves free: one alone two thirds of the limit, two of them two fifths each. So
 * the next owner always has room (dynamic thresholds, as in the shared buffers of switches).
 *
 * Growing shares could block each other halfway. So one share of each owner may take everything that is free, and if
 * even that is not enough, one of all shares may exceed the limit: so each of them can finish in turn.
 */
export class ByteBudget {
  readonly #limitBytes: number;
  /** Owners that hold something. */
  readonly #owners = new Map<string, Owner>();
  /** In order of arrival. */
  readonly #waiting = new Map<Share, Wait>();
  /** The share that may exceed the limit. */
  #exempt: Share | undefined;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Exceeds the limit by one share at most. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** How many shares wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A share that holds nothing yet. */
  open(owner: string): ByteShare {
    return new Share(owner, this.#budget);
  }

  readonly #budget: ShareBudget = {
    reserve: (share, bytes, onRoom) => {
      if (!this.#isBehind(share) && this.#take(share, bytes)) {
        return true;
      }
      if (onRoom !== undefined) {
        this.#waiting.set(share, { bytes, onRoom });
      }
      return false;
    },
    shrink: (share, bytes) => {
      this.#waiting.delete(share);
      if (bytes < share.bytes) {
        this.#count(share, bytes);
        this.#grant();
      }
    },
  };

  /** Whether earlier shares of its owner wait. */
  #isBehind({ bytes, owner }: Share): boolean {
    return bytes === 0 && [...this.#waiting.keys()].some((waiting) => waiting.owner === owner);
  }

  #take(share: Share, bytes: number): boolean {
    const fits = this.#fits(share, bytes - share.bytes);
    if (fits) {
      this.#count(share, bytes);
    }
    return fits;
  }

  #fits(share: Share, more: number): boolean {
    const left = this.#limitBytes - this.#usedBytes - more;
    const owner = this.#owners.get(share.owner);
    if (left >= 0 && (owner?.held ?? 0) + more <= greed * left) {
      return true;
    }
    // Until it ends, a share that has begun keeps its bytes from others.
    if (owner !== undefined && share.bytes > 0) {
      owner.turn ??= share;
    }
    if (owner?.turn === share) {
      this.#exempt ??= left >= 0 ? undefined : share;
      return left >= 0 || this.#exempt === share;
    }
    return this.#usedBytes === 0;
  }

  #count(share: Share, bytes: number): void {
    const owner = this.#owners.get(share.owner) ?? { held: 0, turn: undefined };
    owner.held += bytes - share.bytes;
    this.#usedBytes += bytes - share.bytes;
    share.bytes = bytes;
    if (bytes === 0) {
      owner.turn = owner.turn === share ? undefined : owner.turn;
      this.#exempt = this.#exempt === share ? undefined : this.#exempt;
    }
    if (owner.held === 0) {
      this.#owners.delete(share.owner);
    } else {
      this.#owners.set(share.owner, owner);
    }
  }

  /** Resumes the shares that have room now: those of one owner in order, except for the one whose turn it is. */
  #grant(): void {
    const granted: Wait[] = [];
    const stuck = new Set<string>();
    for (const [share, wait] of this.#waiting) {
      if ((share.bytes > 0 || !stuck.has(share.owner)) && this.#take(share, wait.bytes)) {
        this.#waiting.delete(share);
        granted.push(wait);
      } else {
        stuck.add(share.owner);
      }
    }
    for (const { onRoom } of granted) {
      onRoom();
    }
  }
}

/** The shares that count the bytes of one call. */
export interface CallBytes {
  readonly body: ByteShare;
  /** Counts its result. */
  readonly result: ByteShare;
}

interface Patience {
  /** Default: no limit. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits for room. Resolves with whether the bytes are reserved; if not, because the time is up or the signal aborts,
 * nothing more is reserved.
 */
export function isReserved(share: ByteShare, bytes: number, { waitMs, signal }: Patience = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isThere: boolean): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      resolve(isThere);
    };
    const giveUp = (): void => {
      share.shrink(share.bytes);
      end(false);
    };
    const timer = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (share.reserve(bytes, () => end(true))) {
      end(true);
    } else if (signal?.aborted) {
      giveUp();
    }
  });
}

/** The owner of a call's bytes: one function for one submitter, so that neither takes the room of others. */
export function ownerOf(call: { readonly function: string; readonly submitter?: string | undefined }): string {
  return `${call.function}/${call.submitter ?? ''}`;
}

interface Owner {
  held: number;
  /** The share that may take everything that is free. */
  turn: Share | undefined;
}

interface Wait {
  readonly bytes: number;
  readonly onRoom: () => void;
}

/** The part of the budget that a share uses. */
interface ShareBudget {
  reserve(share: Share, bytes: number, onRoom: (() => void) | undefined): boolean;
  shrink(share: Share, bytes: number): void;
}

class Share implements ByteShare {
  readonly owner: string;
  bytes = 0;
  readonly #budget: ShareBudget;

  constructor(owner: string, budget: ShareBudget) {
    this.owner = owner;
    this.#budget = budget;
  }

  reserve(bytes: number, onRoom?: () => void): boolean {
    return bytes <= Math.max(this.bytes, uncountedBytes) || this.#budget.reserve(this, bytes, onRoom);
  }

  shrink(bytes: number): void {
    this.#budget.shrink(this, bytes);
  }

  release(): void {
    this.#budget.shrink(this, 0);
  }
}
