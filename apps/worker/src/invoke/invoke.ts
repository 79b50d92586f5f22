import { type BodyObject, type Call, emptyBody, type HeaderList } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import { exchange, type HttpAgent, type HttpOutcome } from '../http/index.ts';
import { type FunctionRequestOptions, toFunctionRequest } from './function-request.ts';

/** The result of one attempt: the function's response, or a substitute if it gave none. */
export interface AttemptResult {
  /** How the attempt went. Only `answered` has the function's own status, headers and body. */
  readonly kind: 'answered' | 'unreachable' | 'bad_response' | 'deadline' | 'response_too_large';
  /** The function's status; 503 if it gave no answer at all, 504 if it took too long, 502 if its answer is unusable. */
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** The body of the response, if it is stored apart: then `body` is empty. */
  readonly object?: BodyObject;
  readonly durationMs: number;
  /** Why it did not answer, or what is wrong with its answer: the code of the socket's or undici's error. */
  readonly code?: string;
  /** That error, for the log. */
  readonly error?: Error;
  /** The request was sent a second time, since the server had closed the reused connection. */
  readonly resent?: true;
}

/**
 * Calls the function once. Undefined if `signal` has cut the attempt short, or the broker does not give the body or take the
 * response now: then it does not count. Never rejects.
 */
export async function invoke(
  agent: HttpAgent,
  call: Call,
  target: FunctionConfig,
  options: FunctionRequestOptions,
): Promise<AttemptResult | undefined> {
  const startedAt = performance.now();
  const outcome = await exchange(agent, toFunctionRequest(call, target, options));
  return toResult(outcome, performance.now() - startedAt);
}

function toResult(outcome: HttpOutcome, durationMs: number): AttemptResult | undefined {
  switch (outcome.kind) {
    case 'answer':
      return answered(outcome, durationMs);
    case 'unreachable':
      return { ...outcome, status: 503, headers: [], body: emptyBody, durationMs };
    case 'body_failed':
      if (outcome.code === 'body_unreadable') {
        return undefined;
      }
      return { ...outcome, kind: 'unreachable', status: 503, headers: [], body: emptyBody, durationMs };
    case 'bad_response':
      return { ...outcome, status: 502, headers: [], body: emptyBody, durationMs };
    case 'deadline':
      return { ...outcome, status: 504, headers: [], body: emptyBody, durationMs };
    case 'too_large':
      return { ...outcome, kind: 'response_too_large', status: 502, headers: [], body: emptyBody, durationMs };
    case 'abandoned':
    case 'not_stored':
      return undefined;
  }
}

/** Written out, since a copy by spreading costs more. */
function answered(
  { status, headers, body, object, resent }: Extract<HttpOutcome, { kind: 'answer' }>,
  durationMs: number,
): AttemptResult {
  if (object !== undefined) {
    return { kind: 'answered', status, headers, body, object, durationMs, ...(resent && { resent }) };
  }
  return resent === undefined
    ? { kind: 'answered', status, headers, body, durationMs }
    : { kind: 'answered', status, headers, body, durationMs, resent };
}
