const msPerUnit: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
const whole = new RegExp(`^[+]?(?:0|(?:${part.source})+)$`);

/**
 * Milliseconds of what Go's `time.ParseDuration` reads: `1m30s`, `1.5h`, `500ms`, parts in any order. Fractions of a
 * millisecond are rounded. Undefined for anything else, and for negative durations.
 *
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  if (!whole.test(text)) {
    return undefined;
  }
  let ms = 0;
  for (const [, count, unit = ''] of text.matchAll(part)) {
    ms += Number(count) * (msPerUnit.get(unit) ?? 0);
  }
  const rounded = Math.round(ms);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
