import type { AttemptResult } from '../invoke/index.ts';

/** What an attempt says about how many calls at once the function takes. */
export type LimiterSignal =
  | 'taken'
  /** 429: the function has too many calls. */
  | 'rejected'
  /** 503, or a connection that was not accepted: perhaps because it has too many, perhaps for another reason. */
  | 'refused'
  | 'unclear';

/** Reads the signal of an attempt; `undefined` is one that was cut short. */
export function toLimiterSignal(result: AttemptResult | undefined): LimiterSignal {
  if (result?.kind === 'unreachable') {
    return result.code === 'ECONNREFUSED' ? 'refused' : 'unclear';
  }
  if (result?.kind !== 'answered') {
    return 'unclear';
  }
  switch (result.status) {
    case 429:
      return 'rejected';
    case 503:
      return 'refused';
    default:
      return result.status < 500 ? 'taken' : 'unclear';
  }
}
