import { parseDuration, parseInstant, parseUnixSeconds } from '@asyncfn/units';
import { type Refusal, refusal } from '../problem.ts';

/** All values of the headers about time. */
export interface TimeHeaders {
  /** `X-Delay` */
  readonly delays: readonly string[];
  /** `X-Not-Before` */
  readonly notBefores: readonly string[];
  /** `X-Expires-In` */
  readonly expiries: readonly string[];
}

/** When a call may be invoked, according to its caller. */
export interface CallTimes {
  readonly kind: 'times';
  /** Milliseconds after its acceptance. */
  readonly delayMs: number | undefined;
  /** Unix time in milliseconds. */
  readonly notBefore: number | undefined;
  /** Milliseconds after its acceptance. If the call has not started by then, it ends as expired. */
  readonly expiresInMs: number | undefined;
}

const noTimes: CallTimes = { kind: 'times', delayMs: undefined, notBefore: undefined, expiresInMs: undefined };
const yearMs = 365 * 24 * 60 * 60 * 1000;

/**
 * Reads the headers about time.
 * @param now Unix time in milliseconds
 */
export function readCallTimes({ delays, notBefores, expiries }: TimeHeaders, now: number): CallTimes | Refusal {
  if (delays.length + notBefores.length + expiries.length === 0) {
    return noTimes;
  }
  const delayMs = delays.map(parseDuration)[0];
  const notBefore = notBefores.map(parseTime)[0];
  const expiresInMs = expiries.map(parseDuration)[0];
  if (delays.length > 0 && (delays.length > 1 || !isBetween(delayMs, 0, yearMs))) {
    return refusal('invalid_delay', 'X-Delay must be sent once, as a duration of at most 365d, such as 30s or 1h30m.');
  }
  if (notBefores.length > 0 && (notBefores.length > 1 || notBefore === undefined || notBefore - now > yearMs)) {
    return refusal(
      'invalid_not_before',
      'X-Not-Before must be sent once, as a time within the next 365 days: RFC 3339, such as 2030-01-02T15:04:05Z, or Unix seconds.',
    );
  }
  if (delayMs !== undefined && notBefore !== undefined) {
    return refusal('invalid_delay', 'X-Delay and X-Not-Before cannot be combined: send one of them.');
  }
  if (expiries.length > 0 && (expiries.length > 1 || !isBetween(expiresInMs, 1, yearMs))) {
    return refusal(
      'invalid_expires_in',
      'X-Expires-In must be sent once, as a duration above zero and at most 365d, such as 10m or 1h30m.',
    );
  }
  return { kind: 'times', delayMs, notBefore, expiresInMs };
}

/**
 * When a call may be invoked: Unix time in milliseconds; undefined for a call that need not wait.
 * @param acceptedAt Unix time in milliseconds
 */
export function notBeforeOf({ delayMs = 0, notBefore }: CallTimes, acceptedAt: number): number | undefined {
  const at = notBefore ?? acceptedAt + delayMs;
  return at > acceptedAt ? at : undefined;
}

function isBetween(ms: number | undefined, min: number, max: number): boolean {
  return ms !== undefined && ms >= min && ms <= max;
}

/** Unix time in milliseconds, rounded up so that the call is never early. */
function parseTime(text: string): number | undefined {
  return parseUnixSeconds(text) ?? parseInstant(text);
}
