import { parseDuration, parseInstant, parseRate } from '@asyncfn/units';
import { InvalidArgumentError } from 'commander';

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Milliseconds of `10s`. */
export function durationOption(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new InvalidArgumentError('It is not a duration: write 10s, 5m or 2h.');
  }
  return ms;
}

/** A duration that the gateway reads: `10s`, as it is. */
export function durationTextOption(text: string): string {
  durationOption(text);
  return text;
}

export function integerOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`It has to be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A rate that the gateway reads: `10/1m`, as it is. */
export function rateOption(text: string): string {
  if (parseRate(text) === undefined) {
    throw new InvalidArgumentError('It is not a rate: write 10/1s, 10/1m or 100/1h.');
  }
  return text;
}

/** A header of a call: `Name: value`. */
export function headerOption(text: string, before: readonly (readonly [string, string])[] = []): [string, string][] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("It is not a header: write 'Name: value'.");
  }
  return [...before.map(([first, second]): [string, string] => [first, second]), [name, value]];
}

/** A time as RFC 3339, or as the duration since then: `1h` is an hour ago. The result is RFC 3339. */
export function momentOption(text: string): string {
  if (parseInstant(text) !== undefined) {
    return text;
  }
  const agoMs = parseDuration(text);
  if (agoMs === undefined) {
    throw new InvalidArgumentError('It is not a time: write 2030-01-31T08:00:00Z, or 1h for an hour ago.');
  }
  return new Date(Date.now() - agoMs).toISOString();
}
