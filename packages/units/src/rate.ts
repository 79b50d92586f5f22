import { formatDuration, parseDuration } from './duration.ts';

/** At most `count` in any window of this length. */
export interface Rate {
  /** 1 to 100,000. */
  readonly count: number;
  /** 100 ms to 7 days. */
  readonly periodMs: number;
}

/** The largest count of a rate. */
const maxCount = 100_000;
const shortestMs = 100;
const longestMs = 7 * 86_400_000;

/** What a rate must be, for error messages. */
export const rateExpectation =
  'must be a rate such as 50/1s or 10/1m: a whole number from 1 to 100000, a slash, and a duration from 100ms to 7d';

/**
 * A rate as people write it: `50/1s`, `10/1m`, `1000/1h30m`. Anything else is `undefined`, and so is one that is out of
 * bounds: see {@link rateExpectation}.
 */
export function parseRate(text: string): Rate | undefined {
  const match = /^([1-9]\d{0,5})\/(.+)$/.exec(text);
  const count = Number(match?.[1] ?? Number.NaN);
  const periodMs = parseDuration(match?.[2] ?? '') ?? 0;
  return count <= maxCount && periodMs >= shortestMs && periodMs <= longestMs ? { count, periodMs } : undefined;
}

/** The shortest text that {@link parseRate} reads back as the same rate. */
export function formatRate({ count, periodMs }: Rate): string {
  return `${count}/${formatDuration(periodMs)}`;
}
