/** A call of a sample function. */
export interface SampleCall {
  /** The part after `/async-function/`. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** It ends as a dead letter. */
const failure: SampleCall = { target: 'status?code=400', headers: {} };

/** At any rate of calls: a function that fails more often would fire AsyncfnDeadLettersGrow. */
const msBetweenFailures = 120_000;

const success: SampleCall = { target: 'echo', headers: {} };

/** One of each kind of call, the common ones more often. */
const calls: readonly SampleCall[] = [
  success,
  { target: 'hash', headers: {} },
  success,
  { target: 'sleep?ms=500', headers: {} },
  { target: 'echo', headers: { 'X-Delay': '20s' } },
  { target: 'status?code=503&times=1', headers: { 'X-Max-Retries': '2' } },
  success,
  failure,
  { target: 'no-such-function', headers: {} },
  { target: 'sleep?ms=3000', headers: {} },
];

/**
 * Returns one call after the other, round and round.
 * @param now milliseconds of a clock that does not jump
 */
export function sampleCalls(now: () => number): () => SampleCall {
  let next = 0;
  let lastFailureMs = Number.NEGATIVE_INFINITY;
  return () => {
    const call = calls[next % calls.length] ?? success;
    next += 1;
    if (call !== failure) {
      return call;
    }
    if (now() - lastFailureMs < msBetweenFailures) {
      return success;
    }
    lastFailureMs = now();
    return failure;
  };
}
