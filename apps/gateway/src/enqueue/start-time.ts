/** The clocks for start times. */
export interface Clocks {
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Milliseconds, with a fraction, of a clock that does not jump. Default `performance.now`. */
  readonly monotonicNow?: () => number;
}

/**
 * A clock of decimal Unix nanoseconds: OpenFaaS's `X-Start-Time`. The system clock provides the milliseconds and the
 * monotonic clock the digits below. A clock never returns the same time twice while the system clock goes forward.
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
