import { QueueError } from '@asyncfn/queue-core';

/**
 * Every refusal there is, by its `code`. Codes are stable: programs decide by them. The title says the same to people
 * and never changes from case to case (RFC 9457, 3.1.4).
 */
export const problems = {
  malformed_request: { status: 400, title: 'The request is not valid HTTP' },
  invalid_function_name: { status: 400, title: 'The function name is not valid' },
  invalid_path: { status: 400, title: 'The path behind the function name is not allowed' },
  invalid_call_id: { status: 400, title: 'X-Call-Id is not valid' },
  invalid_callback_url: { status: 400, title: 'X-Callback-Url is not valid' },
  callback_not_allowed: { status: 400, title: 'The result may not be sent there' },
  invalid_replays: { status: 400, title: 'X-Replays is not valid' },
  invalid_chain_depth: { status: 400, title: 'X-Chain-Depth is not valid' },
  invalid_max_retries: { status: 400, title: 'X-Max-Retries is not valid' },
  invalid_timeout: { status: 400, title: 'X-Timeout is not valid' },
  invalid_delay: { status: 400, title: 'X-Delay is not valid' },
  invalid_not_before: { status: 400, title: 'X-Not-Before is not valid' },
  invalid_expires_in: { status: 400, title: 'X-Expires-In is not valid' },
  invalid_idempotency_key: { status: 400, title: 'Idempotency-Key is not valid' },
  invalid_parameter: { status: 400, title: 'A parameter is not valid' },
  unauthorized: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'The token does not allow that' },
  foreign_host: { status: 403, title: 'The request is for another host' },
  foreign_origin: { status: 403, title: 'The request comes from a page of another origin' },
  call_not_found: { status: 404, title: 'No such call' },
  invalid_function: { status: 400, title: 'The function is not valid' },
  unknown_function: { status: 404, title: 'No such function' },
  unknown_queue: { status: 404, title: 'No such queue' },
  dead_letter_not_found: { status: 404, title: 'No such dead letter' },
  not_found: { status: 404, title: 'No such resource' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  call_id_conflict: { status: 409, title: 'The call id is in use' },
  already_ended: { status: 409, title: 'The call has ended already' },
  not_ended: { status: 409, title: 'The call has not ended yet' },
  not_replayable: { status: 409, title: 'The dead letter cannot be replayed' },
  already_replayed: { status: 409, title: 'The dead letter was replayed before' },
  calls_waiting: { status: 409, title: 'Calls of the function have not ended' },
  result_gone: { status: 410, title: 'There is no result to be had' },
  precondition_failed: { status: 412, title: 'A precondition does not hold' },
  body_too_large: { status: 413, title: 'The body is too large' },
  expectation_failed: { status: 417, title: 'The expectation cannot be met' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key came with another call before' },
  too_many_names: { status: 429, title: 'Too many functions with this token that are not registered' },
  too_many_pending: { status: 429, title: 'Too many calls of the function wait' },
  too_many_waiting: { status: 429, title: 'Too many requests with this token wait' },
  rate_limited: { status: 429, title: 'Too many requests with this token' },
  headers_too_large: { status: 431, title: 'The request line and headers are too large' },
  /** For logs and metrics alone, with the status that nginx made known: nobody is left to read an answer. */
  client_disconnected: { status: 499, title: 'The client went away' },
  internal_error: { status: 500, title: 'Something went wrong inside the gateway' },
  unsupported_transfer_coding: { status: 501, title: 'The transfer coding is not supported' },
  broker_unavailable: { status: 503, title: 'The queue is not available' },
  broker_timeout: { status: 503, title: 'The queue did not confirm the call in time' },
  overloaded: { status: 503, title: 'Too many calls at once' },
  queue_full: { status: 503, title: 'The queue is full' },
  too_many_functions: { status: 503, title: 'The queue has as many functions as it can have' },
  chain_too_deep: { status: 508, title: 'The chain of calls is too long' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** A request that is answered with a problem. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: ProblemCode;
  /** What is wrong in this case. Reaches the client, so it quotes nothing that the client sent (P9). */
  readonly detail: string;
  /** Further members of the problem, for programs (RFC 9457, 3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Headers that belong to the answer, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log alone: what whoever refused it says of it. */
  readonly reason?: string;
  /** For the log alone. */
  readonly cause?: unknown;
}

/** A refusal where only an exception gets through. */
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

/** The broker does not answer, where nothing was to be stored. */
export const brokerAway = refusal('broker_unavailable', 'The queue cannot be asked now. Try again later.', {
  'Retry-After': '2',
});

/** Any error as a refusal. What is not known to be the client's doing is an `internal_error` that says nothing. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof RefusalError) {
    return error.refusal;
  }
  if (error instanceof QueueError) {
    return { ...brokerAway, cause: error };
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 404) {
    return refusal('not_found', 'There is nothing at this path.');
  }
  if (status >= 400 && status < 500) {
    return { ...refusal('malformed_request', 'The request could not be understood.'), cause: error };
  }
  return { ...refusal('internal_error', 'The error has been logged.'), cause: error };
}

/**
 * What the same request is refused with each time that it is sent. A callback to another function is one that would be
 * sent for ten hours.
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

/** The headers of the answer to a request that is refused, beside those of its body. */
export function problemHeaders({ code, headers = {} }: Refusal): Readonly<Record<string, string>> {
  return lasting.has(code) ? { ...headers, 'X-Non-Retryable': 'true' } : headers;
}

/** The media type of `renderProblem` (RFC 9457, 3). */
export const problemMediaType = 'application/problem+json';

/**
 * The body of a problem's answer (RFC 9457). `type` is a URN, not a link: it names the problem for as long as the code
 * exists, wherever the documentation lives.
 */
export function renderProblem({ code, detail, members }: Refusal): string {
  const { status, title } = problems[code];
  return JSON.stringify({ type: `urn:asyncfn:problem:${code}`, title, status, detail, code, ...members });
}
