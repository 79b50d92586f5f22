import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to retry, in milliseconds. Default 90,000: what comes at once may take long on a busy machine. */
  timeoutMs?: number;
  /** Pause between two tries, in milliseconds. Default 20. */
  intervalMs?: number;
  /** Describes what is waited for; the error message begins with it. */
  message?: string;
}

/** The last try begins when the time is up: until then, this process itself may have stood still. */
const lastTryMs = 200;

/**
 * Tries `probe` until it neither throws nor returns `false` or `undefined`, and resolves with what it returned.
 * A probe made of assertions ends with `return true`. Rejects when the time is up, also while a try is still pending;
 * the last error of the probe is the `cause`.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 90_000, intervalMs = 20, message = 'a condition did not become true' }: EventuallyOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown = new Error('the probe never completed');
  for (let isLast = false; !isLast; ) {
    isLast = performance.now() >= deadline;
    const outcome = await attempt(probe, isLast ? lastTryMs : deadline - performance.now());
    if (outcome.done) {
      return outcome.value;
    }
    failure = outcome.failure ?? failure;
    await sleep(isLast ? 0 : Math.max(0, Math.min(intervalMs, deadline - performance.now())));
  }
  throw new Error(`${message} (waited ${timeoutMs} ms): ${describe(failure)}`, { cause: failure });
}

type Outcome<T> = { done: true; value: Exclude<T, false | undefined> } | { done: false; failure?: unknown };

async function attempt<T>(probe: () => T | Promise<T>, leftMs: number): Promise<Outcome<T>> {
  const timeUp = new AbortController();
  const pending = Symbol('pending');
  try {
    const value = await Promise.race([probe(), sleep(Math.max(1, leftMs), pending, { signal: timeUp.signal })]);
    if (value === pending) {
      return { done: false };
    }
    if (value === false || value === undefined) {
      return { done: false, failure: new Error(`the probe returned ${value}`) };
    }
    return { done: true, value: value as Exclude<T, false | undefined> };
  } catch (failure) {
    return { done: false, failure };
  } finally {
    timeUp.abort();
  }
}

function describe(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
