/**
 * The constants of the limiter; times in milliseconds. They are not settings: a function that they do not suit can go
 * without a limiter (`adaptive: false`). What they lead to is measured in docs/dispatch.md.
 */
export const limiterRules = {
  /** Calls at once for a function that nothing is known of. */
  initial: 10,
  /** Never fewer: a function that takes nothing has to be asked from time to time. */
  min: 1,

  /** Growth of a step while nothing was ever rejected, and the most that a later step may add. */
  fastGrowth: 1.4,
  /** Growth of a step back to where the last rejection came, as a part of the limit; 1 at least. */
  recovery: 0.05,
  /** It takes so many times as long, so that other workers have time to take what one has given way for. */
  recoverySteps: 3,
  /** From one step to the next: a function that has enough says so within that time. */
  stepMs: 50,
  /** Where rejections are slower, a step waits for so many times as long as they have lately taken, */
  hearing: 2,
  /** but no longer than this. */
  longestStepMs: 5_000,
  /** A call that runs for so long without a word counts as taken, or a function of an hour would never get its share. */
  silenceMs: 1_000,

  /** What a rejection leaves, of the calls that the function had when it came. */
  margin: 0.9,
  /** The same for a rejection after which no newer call has been taken yet: the capacity has dropped. */
  deepMargin: 0.7,

  /** A probe beyond the last rejection comes after so many calls for each that the limit allows, */
  probeAfterRounds: 4,
  /** but after so many at least, */
  probeAfterLeast: 10,
  /** and needs no more than so many: of a busy function one call in 40 is the price of knowing. */
  probeAfterMost: 40,
  /** It does not come earlier than this after a rejection. */
  probeAfterMs: 1_000,
  /** It comes without that many calls after the time that so many take, one after the other, */
  probeAfterDurations: 10,
  /** which is taken for this at least */
  shortestProbeMs: 1_000,
  /** and this at most. */
  longestProbeMs: 30_000,
  /** All of that is doubled after each probe in vain, up to so many times. */
  maxPatience: 2,

  /** A function that takes nothing at all is asked again after this part of the time for which that has been so, */
  rest: 0.01,
  /** but after this at the latest. */
  longestRestMs: 1_000,
  /**
   * A function that refuses a call when it has no other one does so for reasons of its own. Then refusals are not heeded
   * for this long, and twice as long each time that it turns out to be so again,
   */
  unheedingMs: 10_000,
  /** up to this. */
  longestUnheedingMs: 300_000,
  /** What was learned is forgotten when there was no call for so long: the function may have been scaled since. */
  forgetAfterMs: 60_000,
} as const;
