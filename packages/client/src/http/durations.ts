import { OptionError } from '../errors/index.ts';

/** Milliseconds as a number, or text as the gateway reads it: `250ms`, `10s`, `1m30s`, `2h`, `7d`. */
export type Duration = number | string;

/** The longest time that timers can wait. */
const maxMs = 2 ** 31 - 1;

/** A duration as a header or parameter of the gateway, which checks texts. */
export function toDuration(name: string, value: Duration): string {
  return typeof value === 'string' ? value : `${Math.ceil(checkMs(name, value))}ms`;
}

/** @throws OptionError for what is not a number of milliseconds, from 0 to 2^31-1 (24 days) for timers */
export function checkMs(name: string, value: number, max = Number.MAX_SAFE_INTEGER): number {
  if (!(typeof value === 'number' && value >= 0 && value <= max)) {
    throw new OptionError(`${name}: ${value} is not a number of milliseconds from 0 to ${max}`);
  }
  return value;
}

/** As `checkMs`, for a time that a timer measures. */
export function checkTimerMs(name: string, value: number): number {
  return checkMs(name, value, maxMs);
}
