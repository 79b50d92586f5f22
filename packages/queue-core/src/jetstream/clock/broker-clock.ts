/**
 * Unix time in milliseconds, as an answer of the broker bounds it: what it was when the monotonic clock was at zero.
 */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** A clock that is off by more than this is set wrongly, in milliseconds. */
const toleranceMs = 1_000;

/** The clocks of a process, as tests replace them. */
export interface LocalClocks {
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
}

/**
 * The time by which everything stored is judged: how old a record is, whether a call has expired, when a retry is due.
 * Another process has stored it, or the broker has stamped it, and the clocks of their machines may differ from ours by
 * any amount. The broker looked at its clock between a request of ours and its answer, and the monotonic clock measures
 * the time since: so the broker's time is always between two bounds. Our own clock counts as long as it is between
 * them.
 */
export class BrokerClock {
  readonly #localNow: () => number;
  readonly #monotonicNow: () => number;
  #bounds: Bounds = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

  constructor({ now = () => Date.now(), monotonicNow = () => performance.now() }: LocalClocks = {}) {
    this.#localNow = now;
    this.#monotonicNow = monotonicNow;
  }

  /**
   * Call this as soon as an answer has come that has the time in it. An answer without one changes nothing.
   * @param askedAt when the request was sent, on the monotonic clock
   */
  note({ ts }: { readonly ts?: string }, askedAt: number): void {
    const at = Date.parse(ts ?? '');
    if (!Number.isNaN(at)) {
      // Ours shows whole milliseconds, so up to one less.
      this.#bounds = { least: at - 1 - this.#monotonicNow(), most: at - askedAt };
    }
  }

  /** Unix time in whole milliseconds. Until the broker has told its time, that of our own clock. */
  readonly now = (): number => {
    const sinceZero = this.#monotonicNow();
    const least = this.#bounds.least + sinceZero;
    const most = this.#bounds.most + sinceZero;
    const local = this.#localNow();
    // The later bound if the clock is wrong anyway: a call that waits for its time is not early.
    return Math.ceil(local < least - toleranceMs ? most : Math.min(Math.max(local, least), most));
  };

  /** The earliest that it can be at the broker: Unix time in milliseconds. Minus infinity until it has told its time. */
  readonly earliest = (): number => this.#bounds.least + this.#monotonicNow();

  /**
   * How far our own clock is ahead of what counts, in milliseconds, or behind it if negative; 0 if it is right to a
   * second.
   */
  get aheadMs(): number {
    const aheadMs = this.#localNow() - this.now();
    return Math.abs(aheadMs) > toleranceMs ? aheadMs : 0;
  }
}
