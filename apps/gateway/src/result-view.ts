import { type EndedCall, endToEndHeaders } from '@asyncfn/queue-core';

/** Why the response of a function cannot be given out. Stable; to decide by. */
export type GoneReason =
  /** `RESULT_TTL` is 0. */
  | 'not_kept'
  /** Larger than the worker or the broker takes. */
  | 'too_large'
  /** The call ended, but its result could not be recorded. */
  | 'not_recorded'
  /** The call was ended before its function had answered. */
  | 'cancelled'
  | 'expired';

/** What the gateway answers itself, or what has no meaning behind it. */
const withheld: ReadonlySet<string> = new Set(['content-length', 'date', 'x-call-id', 'x-function-status']);

/** Browsers must not run what a function says as if the gateway, with its operators' API, had said it. */
const containing: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', 'sandbox'],
];

/** Why there is no response to give out; undefined where there is one. */
export function goneReason({ outcome }: EndedCall, kept: boolean): GoneReason | undefined {
  if (outcome.status === 'cancelled' || outcome.status === 'expired') {
    return outcome.status;
  }
  if (!kept) {
    return 'not_kept';
  }
  if (outcome.bodyOmitted !== undefined) {
    return outcome.bodyOmitted === 'not_recorded' ? 'not_recorded' : 'too_large';
  }
  return outcome.reason === 'response_too_large' ? 'too_large' : undefined;
}

/**
 * The headers of a result: those of the function, end to end, with each name's values together, and its status in
 * `X-Function-Status`; 503 for a function that never answered.
 */
export function resultHeaders({ outcome }: EndedCall): Record<string, string | string[]> {
  const { callId, functionStatus = 503 } = outcome;
  const own = [['X-Call-Id', callId] as const, ['X-Function-Status', String(functionStatus)] as const];
  const result: Record<string, string[]> = {};
  for (const [name, value] of [...endToEndHeaders(outcome.headers, withheld), ...containing, ...own]) {
    const lower = name.toLowerCase();
    result[lower] = [...(result[lower] ?? []), value];
  }
  return Object.fromEntries(
    Object.entries(result).map(([name, values]) => [name, values.length > 1 ? values : values.join()]),
  );
}
