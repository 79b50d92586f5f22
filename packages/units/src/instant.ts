const dateTime = /^(\d{4}-\d{2}-(\d{2}))[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
const unixSeconds = /^(\d{1,12})(\.\d{1,9})?$/;

/**
 * Unix time in milliseconds of an RFC 3339 date-time, such as `2030-01-31T08:00:00Z`, from 1970 on. A fraction of a
 * millisecond is rounded up. Undefined for anything else, a day that the month does not have included.
 */
export function parseInstant(text: string): number | undefined {
  const [, date = '', day = '', time = '', fraction, offset = ''] = dateTime.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  // Date.parse counts such a day as one of the next month.
  const isDay = new Date(`${date}T00:00:00Z`).getUTCDate() === Number(day);
  return isDay && !Number.isNaN(ms) && ms >= 0 ? ms + fractionMs(fraction) : undefined;
}

/** Unix time in milliseconds of decimal Unix seconds, such as `1900000000` or `1900000000.25`, rounded up. */
export function parseUnixSeconds(text: string): number | undefined {
  const [, seconds, fraction] = unixSeconds.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000 + fractionMs(fraction);
}

/** @param fraction of a second: a point and up to nine digits */
function fractionMs(fraction = '.'): number {
  return Math.ceil(Number(fraction.slice(1).padEnd(9, '0')) / 1e6);
}
