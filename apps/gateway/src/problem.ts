import { QueueError } from '@asyncfn/queue-core';

/**
 * All refusals, by `code`. Codes are stable, for programs. The title is for people and does not change from case to case
 * (RFC 9457, 3.1.4).
 */
export const problems = {
  malformed_request: { status: 400, title: 'The request is not valid HTTP' },
  invalid_function_name: { status: 400, title: 'The function name is not valid' },
  invalid_path: { status: 400, title: 'The path after the function name is not allowed' },
  invalid_call_id: { status: 400, title: 'X-Call-Id is not valid' },
  invalid_callback_url: { status: 400, title: 'The callback URL is not valid' },
  invalid_then: { status: 400, title: 'X-Then is not valid' },
  invalid_label: { status: 400, title: 'X-Label is not valid' },
  invalid_callback_header: { status: 400, title: 'X-Callback-Forward-* is not valid' },
  callback_not_allowed: { status: 400, title: 'Callbacks to this address are not allowed' },
  invalid_replays: { status: 400, title: 'X-Replays is not valid' },
  invalid_chain_depth: { status: 400, title: 'X-Chain-Depth is not valid' },
  invalid_max_retries: { status: 400, title: 'X-Max-Retries is not valid' },
  invalid_timeout: { status: 400, title: 'X-Timeout is not valid' },
  invalid_delay: { status: 400, title: 'X-Delay is not valid' },
  invalid_not_before: { status: 400, title: 'X-Not-Before is not valid' },
  invalid_expires_in: { status: 400, title: 'X-Expires-In is not valid' },
  invalid_flow_key: { status: 400, title: 'X-Flow-Key is not valid' },
  invalid_flow_control: { status: 400, title: 'X-Flow-Control is not valid' },
  invalid_idempotency_key: { status: 400, title: 'Idempotency-Key is not valid' },
  invalid_batch: { status: 400, title: 'The batch is not valid' },
  invalid_batch_item: { status: 400, title: 'The item of the batch is not valid' },
  invalid_parameter: { status: 400, title: 'A parameter is not valid' },
  unauthorized: { status: 401, title: 'A valid token is required' },
  invalid_signature: { status: 401, title: 'The signature is not valid' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  foreign_host: { status: 403, title: 'The request is for another host' },
  foreign_origin: { status: 403, title: 'The request comes from a page of another origin' },
  batch_not_found: { status: 404, title: 'No such batch' },
  call_not_found: { status: 404, title: 'No such call' },
  invalid_function: { status: 400, title: 'The function is not valid' },
  unknown_function: { status: 404, title: 'No such function' },
  invalid_schedule: { status: 400, title: 'The schedule is not valid' },
  unknown_schedule: { status: 404, title: 'No such schedule' },
  unknown_queue: { status: 404, title: 'No such queue' },
  dead_letter_not_found: { status: 404, title: 'No such dead letter' },
  not_found: { status: 404, title: 'No such resource' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  call_id_conflict: { status: 409, title: 'The call id is in use' },
  already_ended: { status: 409, title: 'The call has ended already' },
  not_ended: { status: 409, title: 'The call has not ended yet' },
  not_replayable: { status: 409, title: 'The dead letter cannot be replayed' },
  already_replayed: { status: 409, title: 'The dead letter was already replayed' },
  calls_waiting: { status: 409, title: 'Calls of the function have not ended' },
  result_gone: { status: 410, title: 'The result is not available' },
  precondition_failed: { status: 412, title: 'A precondition is not met' },
  body_too_large: { status: 413, title: 'The body is too large' },
  too_many_calls: { status: 413, title: 'The batch has too many calls' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  range_not_satisfiable: { status: 416, title: 'The result has no such bytes' },
  expectation_failed: { status: 417, title: 'The expectation cannot be met' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another call' },
  too_many_names: { status: 429, title: 'Too many unregistered functions for this token' },
  too_many_pending: { status: 429, title: 'Too many calls of the function are waiting' },
  too_many_waiting: { status: 429, title: 'Too many requests with this token are waiting' },
  rate_limited: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The request line and headers are too large' },
  /** Only for logs and metrics, with nginx's status: the client is gone and gets no answer. */
  client_disconnected: { status: 499, title: 'The client disconnected' },
  internal_error: { status: 500, title: 'Internal error of the gateway' },
  unsupported_transfer_coding: { status: 501, title: 'The transfer coding is not supported' },
  broker_unavailable: { status: 503, title: 'The queue is not available' },
  broker_timeout: { status: 503, title: 'The queue did not confirm the call in time' },
  overloaded: { status: 503, title: 'Too many calls at once' },
  queue_full: { status: 503, title: 'The queue is full' },
  too_many_functions: { status: 503, title: 'The queue has no room for another function' },
  too_many_schedules: { status: 503, title: 'There are as many schedules as there may be' },
  chain_too_deep: { status: 508, title: 'The chain of calls is too long' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** A request that is answered with a problem. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: ProblemCode;
  /** What is wrong in this case. The client sees it, so it must not quote what the client sent (P9). */
  readonly detail: string;
  /** Further members of the problem, for programs (RFC 9457, 3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Headers that belong to the answer, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Only for the log: the reason given by the code that refused it. */
  readonly reason?: string;
  /** Only for the log. */
  readonly cause?: unknown;
}

/** A refusal as an exception, for code that cannot return one. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

export function refusal(code: ProblemCode, detail: string, headers?: Readonly<Record<string, string>>): Refusal {
  return headers === undefined ? { kind: 'refused', code, detail } : { kind: 'refused', code, detail, headers };
}

/** A parameter or a field is not what it must be, as `detail` says. */
export function invalidParameter(detail: string): RefusalError {
  return new RefusalError(refusal('invalid_parameter', detail));
}

/** The broker does not respond to a request that stores nothing. */
export const brokerAway = refusal('broker_unavailable', 'The queue cannot be reached now. Try again later.', {
  'Retry-After': '2',
});

/** Converts any error to a refusal. Unless the client is known to be the cause, it is an `internal_error` without details. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof RefusalError) {
    return error.refusal;
  }
  if (error instanceof QueueError) {
    return { ...brokerAway, cause: error };
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 404) {
    return refusal('not_found', 'Nothing exists at this path.');
  }
  if (status >= 400 && status < 500) {
    return { ...refusal('malformed_request', 'The request could not be understood.'), cause: error };
  }
  return { ...refusal('internal_error', 'The error has been logged.'), cause: error };
}

/**
 * Codes with which the same request is refused every time. Without the mark, a callback to another function would be
 * retried for ten hours.
 */
const lasting: ReadonlySet<ProblemCode> = new Set([
  'invalid_function_name',
  'invalid_path',
  'invalid_call_id',
  'invalid_callback_url',
  'invalid_replays',
  'invalid_chain_depth',
  'body_too_large',
  'headers_too_large',
  'unsupported_transfer_coding',
  'chain_too_deep',
] satisfies ProblemCode[]);

/** The headers of a refusal, beside those of its body. */
export function problemHeaders({ code, headers = {} }: Refusal): Readonly<Record<string, string>> {
  return lasting.has(code) ? { ...headers, 'X-Non-Retryable': 'true' } : headers;
}

/** The media type of `renderProblem` (RFC 9457, 3). */
export const problemMediaType = 'application/problem+json';

/**
 * The body of a problem response (RFC 9457). `type` is a URN, not a link: it stays valid wherever the documentation is
 * published.
 */
export function renderProblem(refused: Refusal): string {
  return JSON.stringify(toProblem(refused));
}

/** The same as an object: an answer about several calls has a problem for each that is refused. */
export function toProblem({ code, detail, members }: Refusal): Record<string, unknown> {
  const { status, title } = problems[code];
  return { type: `urn:asyncfn:problem:${code}`, title, status, detail, code, ...members };
}
