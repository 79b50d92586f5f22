import type { AbortWatch } from '../http/index.ts';
import { ConcurrencyLimiter, type SentCall } from './concurrency-limiter.ts';
import type { LimiterSignal } from './limiter-signal.ts';

/** The right to call the function once. */
export interface Pass {
  /** Right before the request is sent: whether it may be. If not, leave. */
  begin(): boolean;
  /** The request is on its way over an open connection. Default: that does not matter. */
  readonly sent?: () => void;
  /** The attempt has ended. Call it once. */
  leave(signal: LimiterSignal): void;
  /** Whether the function rejected the call while it had others of ours: then they may be the reason. */
  readonly rejectedInCompany: boolean;
}

/** The way of a call to its function. */
export interface Entrance {
  /**
   * For a call's first attempt by this worker. Undefined if the gate closes or `signal` aborts before the call is
   * admitted.
   */
  enter(signal?: AbortWatch): Pass | Promise<Pass | undefined>;
  /**
   * For a call that was just rejected while others were at the function. Undefined if it is not admitted: no call is
   * left at the function, it has waited for 30 s, the gate closes, or `signal` aborts.
   */
  again(signal?: AbortWatch): Promise<Pass | undefined>;
}

export interface LaneGateOptions {
  /** Whether a limiter decides; without one, every call passes at once. */
  readonly adaptive: boolean;
  /** Called when the lane may have more room than before. */
  readonly onRoom: () => void;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Resumes a waiting call: with its pass, or with `undefined` if it must not wait any longer. */
type Waiter = (pass: Pass | undefined) => void;

/** What ends a wait before the call is admitted. */
interface Patience {
  readonly signal: AbortWatch | undefined;
  readonly limitMs?: number;
}

/** Longest wait of a rejected call for its next attempt here, in milliseconds. */
const longestHoldMs = 30_000;

/**
 * The gate between a lane and its function: it admits no more calls at once than the limiter allows. A call that was
 * rejected because the function was busy with others waits here for its next attempt, and is admitted before all others
 * as soon as the function has taken one of those.
 */
export class LaneGate implements Entrance {
  readonly #limiter = new ConcurrencyLimiter();
  readonly #onRoom: () => void;
  readonly #now: () => number;
  #adaptive: boolean;
  #closed = false;
  readonly #fresh = new Set<Waiter>();
  /** Rejected, and the function has taken no call since. */
  readonly #blocked = new Set<Waiter>();
  readonly #eligible = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor({ adaptive, onRoom, now = performance.now.bind(performance) }: LaneGateOptions) {
    this.#adaptive = adaptive;
    this.#onRoom = onRoom;
    this.#now = now;
  }

  set adaptive(adaptive: boolean) {
    if (this.#adaptive !== adaptive) {
      this.#adaptive = adaptive;
      this.#admit();
      this.#onRoom();
    }
  }

  /** The number that the limiter allows at once; undefined without one. */
  get limit(): number | undefined {
    return this.#adaptive ? this.#limiter.limit : undefined;
  }

  /** Calls at the function. */
  get atFunction(): number {
    return this.#limiter.atFunction;
  }

  /** Calls at the function and calls that wait here. */
  get occupied(): number {
    return this.#limiter.atFunction + this.#fresh.size + this.#eligible.size + this.#blocked.size;
  }

  /** Calls that may be sent in addition, at the moment. */
  get room(): number {
    return Math.max(0, this.#allowed() - this.occupied);
  }

  /** Calls wait in the queue because of the limit. */
  fallsShort(): void {
    if (this.#adaptive) {
      const { limit } = this.#limiter;
      this.#limiter.fallsShort();
      this.#advance();
      if (this.#limiter.limit > limit) {
        this.#onRoom();
      }
    }
  }

  enter(signal?: AbortWatch): Pass | Promise<Pass | undefined> {
    if (this.#hasRoom() && !signal?.aborted) {
      return this.#pass();
    }
    return this.#wait(this.#fresh, { signal });
  }

  again(signal?: AbortWatch): Promise<Pass | undefined> {
    if (!this.#adaptive || this.#limiter.atFunction === 0) {
      return Promise.resolve(undefined);
    }
    return this.#wait(this.#blocked, { signal, limitMs: longestHoldMs });
  }

  /** Releases all waiting calls. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const waiters of [this.#eligible, this.#blocked, this.#fresh]) {
      dismiss(waiters);
    }
  }

  #wait(waiters: Set<Waiter>, { signal, limitMs }: Patience): Promise<Pass | undefined> {
    if (this.#closed || signal?.aborted) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const giveUp = (): void => this.#giveUp(waiter);
      const timer = limitMs === undefined ? undefined : setTimeout(giveUp, limitMs);
      const waiter: Waiter = (pass) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        resolve(pass);
      };
      signal?.addEventListener('abort', giveUp);
      waiters.add(waiter);
      this.fallsShort();
    });
  }

  #giveUp(waiter: Waiter): void {
    for (const waiters of [this.#eligible, this.#blocked, this.#fresh]) {
      waiters.delete(waiter);
    }
    waiter(undefined);
    this.#onRoom();
  }

  #pass(): Pass {
    const sent = this.#limiter.send(this.#now());
    const pass = {
      begin: always,
      rejectedInCompany: false,
      leave: (signal: LimiterSignal): void => {
        pass.rejectedInCompany = signal === 'rejected' && sent.ahead > 0;
        this.#leave(sent, signal);
      },
    };
    return pass;
  }

  #leave(sent: SentCall, signal: LimiterSignal): void {
    this.#learn(sent, this.#adaptive ? signal : 'unclear');
    this.#advance();
    this.#onRoom();
  }

  #learn(sent: SentCall, signal: LimiterSignal): void {
    const now = this.#now();
    switch (signal) {
      case 'taken':
        this.#limiter.took(sent, now);
        for (const waiter of this.#blocked) {
          this.#eligible.add(waiter);
        }
        this.#blocked.clear();
        return;
      case 'rejected':
      case 'refused':
        this.#limiter[signal](sent, now);
        break;
      case 'unclear':
        this.#limiter.ended(now);
    }
    if (this.#limiter.atFunction === 0) {
      dismiss(this.#blocked); // the function's reason is not too many calls of ours
    }
  }

  /** Takes a step that is due, admits calls that have room, and sets the timer for the next change. */
  #advance(): void {
    if (this.#adaptive) {
      this.#limiter.step(this.#now());
    }
    this.#admit();
    this.#watch();
  }

  #admit(): void {
    for (const waiters of [this.#eligible, this.#fresh]) {
      for (const waiter of waiters) {
        if (!this.#hasRoom()) {
          // A step that was too small for all of them is not the last one.
          this.#limiter.fallsShort();
          return;
        }
        waiters.delete(waiter);
        waiter(this.#pass());
      }
    }
  }

  #watch(): void {
    const at = this.#adaptive && !this.#closed ? this.#limiter.nextChangeAt(this.#now()) : undefined;
    if (at === undefined || at >= this.#timerAt) {
      return;
    }
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#wake(), Math.ceil(at - this.#now())).unref();
  }

  #wake(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#advance();
    this.#onRoom();
  }

  #hasRoom(): boolean {
    return this.#limiter.atFunction < this.#allowed();
  }

  #allowed(): number {
    return this.#adaptive ? this.#limiter.allowed(this.#now()) : Number.POSITIVE_INFINITY;
  }
}

function always(): boolean {
  return true;
}

function dismiss(waiters: Set<Waiter>): void {
  for (const waiter of waiters) {
    waiters.delete(waiter);
    waiter(undefined);
  }
}
