import {
  type AttemptRecord,
  type Call,
  type CallIdentity,
  type GenerationKey,
  generationTokens,
  identityOf,
  identityTokens,
  keyOf,
  type RunningReport,
  withAttempt,
} from '@asyncfn/queue-core';
import type { RunningCallResponder } from '@asyncfn/queue-core/jetstream';
import { type AbortWatch, CheapAbortSignal } from '../http/index.ts';
import { RotatingMap } from '../rotating-map.ts';

/**
 * How many ended attempts are remembered, at least: a gateway may ask about one at the very moment in which it ends.
 */
const rememberedCalls = 4_096;
/** How long a cancelled call is remembered: a delivery of it may still be on its way. */
const rememberedMs = 60_000;
/** How long after an outage the broker may still deliver a call that was cancelled during it. */
const missedMs = 10_000;
/** If the broker has been silent for longer, a call may have been cancelled unnoticed. */
const maxSilentMs = 1_000;

export interface RunningCallsOptions {
  /** Monotonic clock in milliseconds: setting the time must not make the worker forget cancelled calls. */
  readonly now?: () => number;
  /** How long the broker has been silent, in milliseconds: see `BrokerPulse`. Default: not at all. */
  readonly silentForMs?: () => number;
}

/** A call that has its first attempt behind it, or begun. */
type StartedCall = Pick<Call, 'retry' | 'history'> & { readonly startedAt: number };

/** An attempt in flight. */
export interface RunningAttempt {
  /** Aborts the attempt: the call was cancelled, or the worker stops. */
  readonly signal: AbortWatch;
  /** Whether it was cancelled. */
  readonly isCancelled: boolean;
  /** The next attempt begins. Called several times if the worker retries without handing the call back. */
  turn(call: StartedCall, begun: AttemptRecord): void;
  /** The attempt has ended, and its follow-up is stored. */
  end(): void;
}

/** An attempt, kept for a while after it has ended. The report is created only when a gateway asks. */
class Attempt implements RunningAttempt {
  readonly signal = new CheapAbortSignal();
  /** Key of the attempt: see `identityTokens`. */
  readonly key: string;
  readonly generation: number;
  readonly #maxRetries: number;
  readonly #onEnd: (attempt: Attempt) => void;
  #retry: number;
  #startedAt: number;
  #before: readonly AttemptRecord[] | undefined;
  #begun: AttemptRecord | undefined;
  #standing: RunningReport['standing'] = 'running';
  #isCancelled = false;

  constructor(call: Call, startedAt: number, maxRetries: number, onEnd: (attempt: Attempt) => void) {
    this.key = identityTokens(identityOf(call));
    this.generation = call.generation ?? 0;
    this.#retry = call.retry;
    this.#startedAt = startedAt;
    this.#before = call.history;
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
      history: this.#begun === undefined ? [...(this.#before ?? [])] : withAttempt(this.#before, this.#begun),
    };
  }

  turn({ retry, startedAt, history }: StartedCall, begun: AttemptRecord): void {
    this.#retry = retry;
    this.#startedAt = startedAt;
    this.#before = history;
    this.#begun = begun;
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

/** The calls that this worker runs. Gateways ask about them and cancel them. */
export class RunningCalls implements RunningCallResponder {
  readonly #stop: AbortSignal;
  readonly #now: () => number;
  readonly #silentForMs: () => number;
  readonly #running = new RotatingMap<string, Attempt>();
  /** Attempts that ended recently, and those that ended before them: dropping a whole map costs nothing. */
  #left = new Map<string, Attempt>();
  #leftBefore = new Map<string, Attempt>();
  /** Cancelled calls, and until when each is remembered; the oldest first. */
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

  /** Registers an attempt that begins. */
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

  /** The connection is back: signals sent during the outage were missed. */
  noteOutage(): void {
    this.#backSince = this.#now();
  }

  /**
   * Whether this worker may have missed that a call was cancelled, so that it must look for the outcome before running
   * the call: after an outage, or after this process has stood still and reads what was sent long ago.
   * @param since when the worker received it, on the monotonic clock. Default: now
   */
  mayHaveMissedCancel(since: number = this.#now()): boolean {
    if (this.#silentForMs() > maxSilentMs) {
      this.noteOutage();
    }
    return since < this.#backSince + missedMs;
  }

  /** Whether the call was cancelled a moment ago, so that the worker must look for its outcome before running it. */
  wasCancelled(call: Call): boolean {
    return this.#cancelled.size > 0 && this.#cancelled.has(generationTokens(keyOf(call)));
  }

  readonly #onEnd = (attempt: Attempt): void => {
    const { key } = attempt;
    if (this.#running.get(key) === attempt) {
      this.#running.delete(key); // if not, its next attempt has already begun
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
