import { limiterRules as rules } from './limiter-rules.ts';

/** A call that is at the function. */
export interface SentCall {
  /** Calls of this worker that were at the function when this one was sent. */
  readonly ahead: number;
  readonly sentAtMs: number;
  /** How often the limit had been cut when it was sent. */
  readonly cuts: number;
}

/**
 * Learns from rejections how many calls at once a function takes from this worker. A state machine without a clock or a
 * timer: each method takes the time, in milliseconds of a monotonic clock.
 *
 * - Until the first rejection, the limit grows fast.
 * - A rejection shows the ceiling: the calls that were ahead of it. The limit drops to a margin below.
 * - From there it recovers to the ceiling and rests. Once enough calls were taken it probes: one call beyond the
 *   ceiling, then two more, then four, until the next rejection.
 *
 * It grows only while calls wait because of it. Several workers share a function as TCP connections share a link: each
 * decreases by a part of its limit and increases by steps that do not depend on it, so their shares converge.
 */
export class ConcurrencyLimiter {
  #limit: number = rules.initial;
  /** Calls at the function when it last rejected one; infinite before the first rejection. */
  #ceiling = Number.POSITIVE_INFINITY;
  #atFunction = 0;
  #cuts = 0;
  #cutAt = 0;
  /** Calls taken since the last cut. */
  #taken = 0;
  /** Whether one of them was also sent since then. */
  #proven = false;
  #changedAt: number | undefined;
  /** Whether calls have waited because of the limit since it changed. */
  #short = false;
  /** Size of the next step beyond the ceiling. */
  #stride = 1;
  #stepMs: number = rules.stepMs;
  /** How long a call takes; a moving mean. */
  #callMs = 0;
  /** Factor by which probes are delayed. */
  #patience = 1;
  /** Since when the function has taken no call; undefined while it takes calls. */
  #uselessSince: number | undefined;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #unheedingUntil = Number.NEGATIVE_INFINITY;
  #unheedingMs: number = rules.unheedingMs;
  #lastUseAt = Number.POSITIVE_INFINITY;

  /** Calls at the function. */
  get atFunction(): number {
    return this.#atFunction;
  }

  /** Most calls that may be at the function; a whole number. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** As `limit`, but 0 while a function that takes no calls at all is not asked. */
  allowed(now: number): number {
    return now < this.#restsUntil ? 0 : this.limit;
  }

  /** A call goes to the function. */
  send(now: number): SentCall {
    if (this.#atFunction === 0 && now - this.#lastUseAt >= rules.forgetAfterMs) {
      this.#forget();
    }
    this.#changedAt ??= now;
    const sent = { ahead: this.#atFunction, sentAtMs: now, cuts: this.#cuts };
    this.#atFunction += 1;
    this.#lastUseAt = now;
    return sent;
  }

  /** A call waits because of the limit: only then does growing make sense. */
  fallsShort(): void {
    this.#short = true;
  }

  /** The function has taken the call. */
  took(sent: SentCall, now: number): void {
    this.#leave(now);
    this.#taken += 1;
    this.#proven ||= sent.cuts === this.#cuts;
    this.#callMs += (now - sent.sentAtMs - this.#callMs) / 10;
    this.#uselessSince = undefined;
  }

  /** The call has ended in a way that says nothing about the function's capacity. */
  ended(now: number): void {
    this.#leave(now);
  }

  /**
   * The function could not take the call, perhaps because of other calls. If this goes on until no others are left, it
   * has another reason.
   */
  refused(sent: SentCall, now: number): void {
    if (sent.ahead > 0 && now >= this.#unheedingUntil) {
      this.rejected(sent, now);
      return;
    }
    this.#leave(now);
    if (sent.ahead === 0 && now >= this.#unheedingUntil) {
      this.#unheedingUntil = now + this.#unheedingMs;
      this.#unheedingMs = Math.min(this.#unheedingMs * 2, rules.longestUnheedingMs);
      this.#ceiling = Number.POSITIVE_INFINITY;
    }
  }

  /** The function rejected the call because it has too many. */
  rejected(sent: SentCall, now: number): void {
    this.#leave(now);
    const newsMs = rules.hearing * (now - sent.sentAtMs);
    this.#stepMs = clamp(rules.stepMs, Math.max(newsMs, this.#stepMs * rules.margin), rules.longestStepMs);
    if (sent.cuts === this.#cuts) {
      this.#cut(sent.ahead, now);
    } else if (sent.ahead < this.#ceiling) {
      // Part of the burst that caused the cut, and ahead of the rejected call.
      this.#lowerTo(sent.ahead, rules.margin, now);
    }
    this.#uselessSince ??= now;
    if (sent.ahead === 0) {
      this.#restsUntil = now + Math.min(rules.longestRestMs, rules.rest * (now - this.#uselessSince));
    }
  }

  /** When the limit may next change by time alone: a rest is over, or a step is due. Undefined: never. */
  nextChangeAt(now: number): number | undefined {
    if (now < this.#restsUntil) {
      return this.#restsUntil;
    }
    return this.#short ? this.#stepDueAt() : undefined;
  }

  /** Takes the step that is due, if any. */
  step(now: number): void {
    if (this.#short && now >= this.#stepDueAt()) {
      this.#limit = this.#grown();
      this.#changedAt = now;
      this.#short = false;
    }
  }

  #stepDueAt(): number {
    const stepMs = this.#recovers ? this.#stepMs * rules.recoverySteps : this.#stepMs;
    const dueAt =
      (this.#changedAt ?? Number.POSITIVE_INFINITY) + (this.#proven ? stepMs : Math.max(stepMs, rules.silenceMs));
    return this.#limit === this.#ceiling ? Math.max(dueAt, this.#probeDueAt()) : dueAt;
  }

  get #recovers(): boolean {
    return this.#limit < this.#ceiling && this.#ceiling < Number.POSITIVE_INFINITY;
  }

  #probeDueAt(): number {
    const calls = Math.max(rules.probeAfterLeast, rules.probeAfterRounds * this.#limit) * this.#patience;
    if (this.#taken >= Math.min(rules.probeAfterMost, calls)) {
      return this.#cutAt + rules.probeAfterMs;
    }
    const durationsMs = this.#callMs * rules.probeAfterDurations;
    return this.#cutAt + this.#patience * clamp(rules.shortestProbeMs, durationsMs, rules.longestProbeMs);
  }

  #grown(): number {
    if (this.#ceiling === Number.POSITIVE_INFINITY) {
      return this.#limit * rules.fastGrowth;
    }
    if (this.#recovers) {
      return Math.min(this.#ceiling, this.#limit + Math.max(1, this.#limit * rules.recovery));
    }
    const stride = this.#stride;
    this.#stride *= 2;
    this.#patience = stride > 1 ? 1 : this.#patience;
    return this.#limit + Math.max(1, Math.min(stride, this.#limit * (rules.fastGrowth - 1)));
  }

  #cut(ceiling: number, now: number): void {
    const probedInVain = this.#limit > this.#ceiling;
    const dropped = !this.#proven && this.#cuts > 0;
    this.#patience = probedInVain ? Math.min(this.#patience * 2, rules.maxPatience) : 1;
    this.#cuts += 1;
    this.#cutAt = now;
    this.#taken = 0;
    this.#proven = false;
    this.#stride = 1;
    this.#short = false;
    this.#lowerTo(ceiling, dropped ? rules.deepMargin : rules.margin, now);
  }

  #lowerTo(ceiling: number, margin: number, now: number): void {
    this.#ceiling = Math.max(rules.min, ceiling);
    this.#limit = Math.max(rules.min, Math.min(this.#limit, this.#ceiling * margin));
    this.#changedAt = now;
  }

  #leave(now: number): void {
    this.#atFunction -= 1;
    this.#lastUseAt = now;
  }

  #forget(): void {
    this.#limit = rules.initial;
    this.#ceiling = Number.POSITIVE_INFINITY;
    this.#cuts += 1;
    this.#taken = 0;
    this.#proven = false;
    this.#changedAt = undefined;
    this.#short = false;
    this.#stride = 1;
    this.#stepMs = rules.stepMs;
    this.#patience = 1;
    this.#uselessSince = undefined;
    this.#unheedingMs = rules.unheedingMs;
  }
}

function clamp(min: number, value: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
