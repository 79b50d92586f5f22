import type { Call } from '../call/index.ts';
import type { Outcome } from '../records/index.ts';

/** The URL that is told about the end of a call; undefined if none is. */
export function callbackUrlOf(
  { callbackUrl, failureCallbackUrl }: Pick<Call, 'callbackUrl' | 'failureCallbackUrl'>,
  status: Outcome['status'],
): string | undefined {
  switch (status) {
    case 'succeeded':
      return callbackUrl;
    case 'failed':
    case 'expired':
      return failureCallbackUrl ?? callbackUrl;
    case 'cancelled':
      return undefined;
  }
}
