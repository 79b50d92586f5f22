import type { AttemptResult } from '../invoke/index.ts';

/** What an attempt says about the function's capacity. */
export type LimiterSignal =
  | 'taken'
  /** 429: the function has too many calls. */
  | 'rejected'
  /** 503, or a refused connection: because it has too many calls, or for another reason. */
  | 'refused'
  | 'unclear';

/** The signal of an attempt's result; `undefined` is an attempt that was cut short. */
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
