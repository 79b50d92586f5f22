import type { SubjectResult } from '../run-case.ts';
import { median } from '../statistics.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median and range of a figure over the rounds; undefined if it was not measured. */
export function spreadOf({ rounds }: SubjectResult, figure: string): Spread | undefined {
  const values = rounds.flatMap((round) => round[figure] ?? []);
  if (values.length === 0) {
    return undefined;
  }
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * A figure in relation to the reference's: the median of the ratios within each round, because a disturbance in a round
 * affects both. Undefined if one of them was not measured.
 */
export function ratioOf(subject: SubjectResult, reference: SubjectResult, figure: string): number | undefined {
  const ratios = subject.rounds.flatMap((round, index) => {
    const value = round[figure];
    const base = reference.rounds[index]?.[figure];
    return value === undefined || base === undefined || base === 0 ? [] : [value / base];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}
