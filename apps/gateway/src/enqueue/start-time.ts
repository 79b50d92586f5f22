/** The clocks that a start time is made of. */
export interface Clocks {
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Milliseconds, with a fraction, of a clock that does not jump. Default `performance.now`. */
  readonly monotonicNow?: () => number;
}

/**
 * A clock of Unix nanoseconds, decimal: OpenFaaS's `X-Start-Time`. The system's clock gives the milliseconds and the
 * monotonic one the digits below. No two times of one clock are the same while the system's clock goes forward.
 */
export function createStartTimeClock({
  now = Date.now,
  monotonicNow = () => performance.now(),
}: Clocks = {}): () => string {
  let lastMs = 0;
  let lastNanos = 0;
  return () => {
    const ms = now();
    const nanos = Math.floor((monotonicNow() % 1) * 1e6);
    lastNanos = ms === lastMs ? Math.min(Math.max(nanos, lastNanos + 1), 999_999) : nanos;
    lastMs = ms;
    return `${ms}${String(lastNanos).padStart(6, '0')}`;
  };
}
