import type { Call } from '../call/index.ts';
import type { Outcome } from '../records/index.ts';

/** The callback URL for the end of a call; undefined if no receiver gets it. */
export function callbackUrlOf(
  { callbackUrl, failureCallbackUrl, steps }: Pick<Call, 'callbackUrl' | 'failureCallbackUrl' | 'steps'>,
  status: Outcome['status'],
): string | undefined {
  switch (status) {
    case 'succeeded':
      return steps === undefined ? callbackUrl : undefined; // the last step tells
    case 'failed':
    case 'expired':
      return failureCallbackUrl ?? callbackUrl;
    case 'cancelled':
      return undefined;
  }
}
