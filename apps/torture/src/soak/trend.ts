/** Values of one thing over a run, in the order of time. */
export interface Series {
  readonly name: string;
  readonly unit: 'bytes' | 'count';
  readonly values: readonly number[];
}

export interface Trend extends Series {
  /** Median of the first quarter after the warm-up. */
  readonly before: number;
  /** Median of the last quarter. */
  readonly after: number;
  readonly flat: boolean;
}

/** The first part of a run is left out, because caches fill and the heap finds its size. */
const warmUpShare = 0.25;
/** How much a median may rise without a fault: the size of V8's heap varies. */
const tolerance = { bytes: { share: 0.15, more: 16 * 1024 * 1024 }, count: { share: 0.1, more: 8 } } as const;

/**
 * Whether the values have stopped growing. It compares medians of quarters, because a single value depends on when the
 * garbage was last collected. A value that grows steadily has grown by half of its growth between the two quarters.
 */
export function toTrend(series: Series): Trend {
  const settled = series.values.slice(Math.floor(series.values.length * warmUpShare));
  const quarter = Math.max(1, Math.floor(settled.length / 4));
  const before = median(settled.slice(0, quarter));
  const after = median(settled.slice(-quarter));
  const { share, more } = tolerance[series.unit];
  return { ...series, before, after, flat: after <= before * (1 + share) + more };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
