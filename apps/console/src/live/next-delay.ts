export interface Reading {
  /** The wanted time between two readings, in milliseconds. */
  readonly everyMs: number;
  /** How long the last one took, in milliseconds. */
  readonly tookMs: number;
  /** How many have failed in a row. */
  readonly failures: number;
}

/** The longest wait after failures, in milliseconds: what has gone wrong should also be seen to be over. */
const longestMs = 8_000;

/** A console takes at most this share of a gateway's time. */
const share = 0.1;

/** When to read again. Slow answers and failures make the waits longer. */
export function nextDelayMs({ everyMs, tookMs, failures }: Reading): number {
  const polite = Math.max(everyMs, tookMs / share);
  return failures === 0
    ? Math.min(polite, 60_000)
    : Math.min(everyMs * 2 ** (failures - 1), Math.max(longestMs, everyMs));
}
