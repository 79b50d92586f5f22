import { formatDuration, parseDuration } from '@asyncfn/units';

/** A limit of requests for each window of time. */
export interface Rate {
  readonly requests: number;
  readonly windowMs: number;
}

const largestWindowMs = 86_400_000;

/** Reads `100/1s`, `5000/1h`: requests and the time they are for, up to a day. Undefined for anything else. */
export function parseRate(text: string): Rate | undefined {
  const [, requests = '', window = ''] = /^([1-9]\d{0,8})\/(.+)$/.exec(text) ?? [];
  const windowMs = parseDuration(window) ?? 0;
  return windowMs > 0 && windowMs <= largestWindowMs ? { requests: Number(requests), windowMs } : undefined;
}

/** How a setting holds a rate, for the configuration of a process. */
export const rateType = {
  expected: 'requests and a time of at most a day',
  example: '1000/1s',
  parse: parseRate,
  format: ({ requests, windowMs }: Rate): string => `${requests}/${formatDuration(windowMs)}`,
} as const;
