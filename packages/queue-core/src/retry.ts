import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions<T> {
  /** Waits between the tries, in milliseconds. There is one more try than there are waits. */
  readonly waits: Iterable<number>;
  /** Whether a result is final. The result of the last try is final whatever it is. */
  readonly until: (result: T) => boolean;
  /** The try that begins after its abort is the last one. */
  readonly signal?: AbortSignal;
  /** Default: the timer of Node. It resolves early if the signal aborts. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** Tries until a result is final or the waits are used up. Rejects if a try rejects. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions<T>): Promise<T> {
  const { waits, until, signal, sleep = sleepUnlessAborted } = options;
  let isLast = signal?.aborted;
  let result = await attempt();
  if (isLast || until(result)) {
    return result;
  }
  for (const waitMs of waits) {
    await sleep(waitMs, signal);
    isLast = signal?.aborted;
    result = await attempt();
    if (isLast || until(result)) {
      break;
    }
  }
  return result;
}

async function sleepUnlessAborted(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
