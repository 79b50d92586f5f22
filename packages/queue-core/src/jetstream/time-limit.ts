import { setTimeout as delay } from 'node:timers/promises';

/** Waits for `promise` to settle, at most `limitMs`. Never rejects: for work that must not delay a stop. */
export async function settledWithin(promise: Promise<unknown>, limitMs: number): Promise<void> {
  const settled = new AbortController();
  const end = (): void => settled.abort();
  promise.then(end, end);
  await delay(limitMs, undefined, { signal: settled.signal }).catch(() => {});
}

/** The value of `promise`, or that of `late` if `limitMs` pass first. A later value is ignored. */
export async function valueWithin<T>(promise: Promise<T>, limitMs: number, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), limitMs);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
