/** A call of a sample function. */
export interface SampleCall {
  /** What follows `/async-function/`. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One of each kind of thing that can happen to a call, the common ones more often. */
const calls: readonly SampleCall[] = [
  { target: 'echo', headers: {} },
  { target: 'hash', headers: {} },
  { target: 'echo', headers: {} },
  { target: 'sleep?ms=500', headers: {} },
  { target: 'echo', headers: { 'X-Delay': '20s' } },
  { target: 'status?code=503&times=1', headers: { 'X-Max-Retries': '2' } },
  { target: 'echo', headers: {} },
  { target: 'status?code=400', headers: {} },
  { target: 'no-such-function', headers: {} },
  { target: 'sleep?ms=3000', headers: {} },
];

/** Gives one call after the other, around and around. */
export function sampleCalls(): () => SampleCall {
  let next = 0;
  return () => {
    const call = calls[next % calls.length] ?? { target: 'echo', headers: {} };
    next += 1;
    return call;
  };
}
