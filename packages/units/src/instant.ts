const dateTime = /^(\d{4}-\d{2}-(\d{2}))[Tt ](\d{2}:\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const unixSeconds = /^(\d{1,12})(\.\d+)?$/;
const dayMs = 86_400_000;

/**
 * Unix time in milliseconds of an RFC 3339 date-time, such as `2030-01-31T08:00:00Z`; negative before 1970. A fraction of a
 * millisecond is rounded up. A leap second, which Unix time does not have, is the start of the next second. Undefined for
 * anything else, a day that the month does not have included.
 */
export function parseInstant(text: string): number | undefined {
  const [, date = '', day = '', minute = '', second = '', fraction, offset = ''] = dateTime.exec(text) ?? [];
  const isLeap = second === '60';
  const ms = Date.parse(`${date}T${minute}:${isLeap ? '59' : second}${offset.toUpperCase()}`);
  // Date.parse counts such a day as one of the next month.
  const isDay = new Date(`${date}T00:00:00Z`).getUTCDate() === Number(day);
  if (!isDay || Number.isNaN(ms)) {
    return undefined;
  }
  return isLeap ? afterLeapSecond(ms + 1000) : ms + fractionMs(fraction);
}

/** Unix time in milliseconds of decimal Unix seconds, such as `1900000000` or `1900000000.25`, rounded up. */
export function parseUnixSeconds(text: string): number | undefined {
  const [, seconds, fraction] = unixSeconds.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000 + fractionMs(fraction);
}

/** Leap seconds come only before a month begins in UTC (RFC 3339, 5.7). */
function afterLeapSecond(ms: number): number | undefined {
  return new Date(ms).getUTCDate() === 1 && ms % dayMs === 0 ? ms : undefined;
}

/** @param fraction of a second: a point and digits */
function fractionMs(fraction = '.'): number {
  const whole = Number(fraction.slice(1, 4).padEnd(3, '0'));
  return /[1-9]/.test(fraction.slice(4)) ? whole + 1 : whole;
}
