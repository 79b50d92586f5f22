import {
  type Call,
  type CallIdentity,
  type GenerationKey,
  generationTokens,
  identityOf,
  identityTokens,
  keyOf,
  type RunningReport,
} from '@asyncfn/queue-core';
import type { RunningCallResponder } from '@asyncfn/queue-core/jetstream';
import { type AbortWatch, CheapAbortSignal } from '../http/index.ts';
import { RotatingMap } from './rotating-map.ts';

/** So many calls that have left are remembered, at least: for whoever asks at the very moment in which they do. */
const rememberedCalls = 4_096;
/** How long a call that was cancelled is remembered: a delivery of it may still be on its way. */
const rememberedMs = 60_000;
/** How long after an outage a call may still be delivered that was cancelled during it. */
const missedMs = 10_000;
/** What was heard of the broker may be so old: a call that was cancelled since is still to be run by a delivery of before. */
const maxSilentMs = 1_000;

export interface RunningCallsOptions {
  /** Monotonic clock in milliseconds: what was cancelled is not forgotten because somebody sets the time. */
  readonly now?: () => number;
  /** How old what was heard of the broker is, in milliseconds: see `BrokerPulse`. Default: it is new. */
  readonly silentForMs?: () => number;
}

/** A call in hand. */
export interface RunningAttempt {
  /** Aborts the attempt: the call was cancelled, or the worker stops. */
  readonly signal: AbortWatch;
  /** Whether it was cancelled. */
  readonly isCancelled: boolean;
  /** It is being attempted with so many retries before: several times, where the worker need not give it back between. */
  turn(retry: number, startedAt: number): void;
  /** What follows the attempt is stored. */
  end(): void;
}

/** An attempt, and once it has left, the memory of it. The report is made when somebody asks, which few do. */
class Attempt implements RunningAttempt {
  readonly signal = new CheapAbortSignal();
  /** Under which it is in hand: see `identityTokens`. */
  readonly key: string;
  readonly generation: number;
  readonly #maxRetries: number;
  readonly #onEnd: (attempt: Attempt) => void;
  #retry: number;
  #startedAt: number;
  #standing: RunningReport['standing'] = 'running';
  #isCancelled = false;

  constructor(call: Call, startedAt: number, maxRetries: number, onEnd: (attempt: Attempt) => void) {
    this.key = identityTokens(identityOf(call));
    this.generation = call.generation ?? 0;
    this.#retry = call.retry;
    this.#startedAt = startedAt;
    this.#maxRetries = maxRetries;
    this.#onEnd = onEnd;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  get report(): RunningReport {
    return {
      v: 1,
      standing: this.#standing,
      generation: this.generation,
      retry: this.#retry,
      maxRetries: this.#maxRetries,
      startedAt: this.#startedAt,
    };
  }

  turn(retry: number, startedAt: number): void {
    this.#retry = retry;
    this.#startedAt = startedAt;
  }

  end(): void {
    this.#standing = 'left';
    this.#onEnd(this);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.signal.abort();
  }
}

/** The calls that this worker runs, for whoever asks about one of them, or wants it to end. */
export class RunningCalls implements RunningCallResponder {
  readonly #stop: AbortSignal;
  readonly #now: () => number;
  readonly #silentForMs: () => number;
  readonly #running = new RotatingMap<string, Attempt>();
  /** Calls that have left lately, and those that left before them: forgetting all of a map at once costs nothing. */
  #left = new Map<string, Attempt>();
  #leftBefore = new Map<string, Attempt>();
  /** Calls that were cancelled, and when that was forgotten; the oldest first. */
  readonly #cancelled = new Map<string, number>();
  #backSince = Number.NEGATIVE_INFINITY;

  /** @param stop aborts all attempts */
  constructor(
    stop: AbortSignal,
    { now = performance.now.bind(performance), silentForMs = () => 0 }: RunningCallsOptions = {},
  ) {
    this.#stop = stop;
    this.#silentForMs = silentForMs;
    this.#now = now;
    const abortAll = (): void => {
      for (const { signal } of this.#running.values()) {
        signal.abort();
      }
    };
    stop.addEventListener('abort', abortAll, { once: true });
  }

  /** An attempt begins. */
  begin(call: Call, startedAt: number, maxRetries: number): RunningAttempt {
    const attempt = new Attempt(call, startedAt, maxRetries, this.#onEnd);
    this.#running.set(attempt.key, attempt);
    if (this.wasCancelled(call)) {
      attempt.cancel();
    } else if (this.#stop.aborted) {
      attempt.signal.abort();
    }
    return attempt;
  }

  report(call: CallIdentity): RunningReport | undefined {
    const key = identityTokens(call);
    return (this.#running.get(key) ?? this.#left.get(key) ?? this.#leftBefore.get(key))?.report;
  }

  cancel(of: GenerationKey): boolean {
    this.#remember(generationTokens(of));
    const attempt = this.#running.get(identityTokens(of));
    if (attempt === undefined || attempt.generation !== of.generation) {
      return false;
    }
    attempt.cancel();
    return true;
  }

  /** The broker is back: what it told meanwhile was not heard. */
  noteOutage(): void {
    this.#backSince = this.#now();
  }

  /**
   * Whether a call may have been cancelled without our hearing of it, so that its outcome must be looked for before it is
   * run: there was an outage, or this process has stood still, and what it reads now was sent long ago.
   * @param since when it came into our hands, on the monotonic clock. Default: just now
   */
  mayHaveMissedCancel(since: number = this.#now()): boolean {
    if (this.#silentForMs() > maxSilentMs) {
      this.noteOutage();
    }
    return since < this.#backSince + missedMs;
  }

  /** Whether the call was cancelled a moment ago, so that its outcome must be looked for before it is run. */
  wasCancelled(call: Call): boolean {
    return this.#cancelled.size > 0 && this.#cancelled.has(generationTokens(keyOf(call)));
  }

  readonly #onEnd = (attempt: Attempt): void => {
    const { key } = attempt;
    if (this.#running.get(key) === attempt) {
      this.#running.delete(key); // otherwise its next attempt has begun already
    }
    this.#left.set(key, attempt);
    if (this.#left.size >= rememberedCalls) {
      this.#leftBefore = this.#left;
      this.#left = new Map();
    }
  };

  #remember(key: string): void {
    const now = this.#now();
    for (const [oldest, forgetAt] of this.#cancelled) {
      if (forgetAt > now) {
        break;
      }
      this.#cancelled.delete(oldest);
    }
    this.#cancelled.delete(key);
    this.#cancelled.set(key, now + rememberedMs);
  }
}
