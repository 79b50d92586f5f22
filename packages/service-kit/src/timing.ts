/** The longest delay that `setTimeout` honours; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits, or stops waiting as soon as the signal aborts. Never rejects, so that a loop reads
 * `while (await sleep(intervalMs, signal)) { ... }`.
 *
 * @param ms milliseconds, of any length
 * @returns whether the whole time has passed; `false` if the signal cut it short
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  let restMs = ms;
  do {
    if (!(await sleepOnce(Math.min(restMs, MAX_TIMER_MS), signal))) {
      return false;
    }
    restMs -= MAX_TIMER_MS;
  } while (restMs > 0);
  return true;
}

function sleepOnce(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) {
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const end = (whole: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cutShort);
      resolve(whole);
    };
    const cutShort = () => end(false);
    const timer = setTimeout(end, ms, true);
    signal?.addEventListener('abort', cutShort, { once: true });
  });
}

/**
 * Runs `fn` once when `ms` milliseconds, of any length, have passed: what `setTimeout` does for less than 25 days.
 *
 * @returns a function that prevents it; calling it later, or again, does nothing
 */
export function after(ms: number, fn: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (restMs: number): void => {
    const thisMs = Math.min(restMs, MAX_TIMER_MS);
    timer = setTimeout(() => (restMs > thisMs ? arm(restMs - thisMs) : fn()), thisMs);
  };
  arm(ms);
  return () => clearTimeout(timer);
}

export interface EveryOptions {
  readonly signal: AbortSignal;
  /** Receives the error of a run; the next run follows nevertheless. */
  readonly onError: (error: unknown) => void;
  /** Default {@link sleep}. */
  readonly sleep?: typeof sleep;
}

/**
 * Runs `fn` again and again, first after `intervalMs`, then `intervalMs` after the end of each run: runs never overlap.
 *
 * @returns resolves when the signal has aborted and the last run has ended; never rejects
 */
export async function every(
  intervalMs: number,
  fn: (signal: AbortSignal) => Promise<void> | void,
  { signal, onError, sleep: wait = sleep }: EveryOptions,
): Promise<void> {
  while (await wait(intervalMs, signal)) {
    try {
      await fn(signal);
    } catch (error) {
      onError(error);
    }
  }
}
