/**
 * The constants of the limiter; times in milliseconds. They are not settings: a function that they do not suit can do
 * without a limiter (`adaptive: false`). docs/dispatch.md measures their effect.
 */
export const limiterRules = {
  /** The limit for a function that is not known yet. */
  initial: 10,
  /** The smallest limit: a function that takes nothing must be asked from time to time. */
  min: 1,

  /** Growth of a step before the first rejection, and the most that a later step may add. */
  fastGrowth: 1.4,
  /** Growth of a step back to the last ceiling, as a part of the limit; at least 1. */
  recovery: 0.05,
  /** The way back takes this many times as long, so that other workers have time to take what this one has released. */
  recoverySteps: 3,
  /** Time between steps: an overloaded function rejects calls within that time. */
  stepMs: 50,
  /** If rejections are slower, a step waits for this many times as long as they have recently taken, */
  hearing: 2,
  /** but at most this long. */
  longestStepMs: 5_000,
  /**
   * A call that runs for this long counts as taken; otherwise a function that takes an hour would never get its share.
   */
  silenceMs: 1_000,

  /** The part of the calls at the function that remains as limit after a rejection. */
  margin: 0.9,
  /** The same if no newer call has been taken since the last cut: the capacity has dropped. */
  deepMargin: 0.7,

  /** A probe beyond the ceiling comes after this many calls for each that the limit allows, */
  probeAfterRounds: 4,
  /** but after at least this many, */
  probeAfterLeast: 10,
  /** and at most this many: for a busy function one call in 40 is the price of probing. */
  probeAfterMost: 40,
  /** It comes at the earliest this long after a rejection. */
  probeAfterMs: 1_000,
  /** Without that many calls it comes after the time that this many calls take, one after the other, */
  probeAfterDurations: 10,
  /** at least this */
  shortestProbeMs: 1_000,
  /** and at most this. */
  longestProbeMs: 30_000,
  /** All of that doubles after each failed probe, up to this factor. */
  maxPatience: 2,

  /** A function that takes no calls at all is asked again after this part of the time that it has not, */
  rest: 0.01,
  /** but at the latest after this. */
  longestRestMs: 1_000,
  /**
   * A function that refuses a call while it has no other one has reasons of its own. Then refusals are ignored for this
   * long, and twice as long each time it happens again,
   */
  unheedingMs: 10_000,
  /** up to this. */
  longestUnheedingMs: 300_000,
  /** The limiter starts over after this long without a call: the function may have been scaled since. */
  forgetAfterMs: 60_000,
} as const;
