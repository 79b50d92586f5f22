import type { Trend } from './trend.ts';

/** A table for people: each watched value, from its first median to its last. */
export function formatTrends(trends: readonly Trend[]): string {
  const lines = trends.map(({ name, unit, before, after, flat }) => {
    const text = (value: number): string =>
      unit === 'bytes' ? `${(value / 1024 ** 2).toFixed(1)} MiB` : String(value);
    return `${name.padEnd(28)} ${text(before).padStart(12)} -> ${text(after).padStart(12)}   ${flat ? 'flat' : 'GROWS'}`;
  });
  return lines.join('\n');
}
