import { type Call, emptyBody, type HeaderList } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import { exchange, type HttpAgent, type HttpOutcome } from '../http/index.ts';
import { type FunctionRequestOptions, toFunctionRequest } from './function-request.ts';

/** What a function made of one attempt, or what stands for its answer where there was none. */
export interface AttemptResult {
  /** How the attempt went. Only `answered` has the function's own status, headers and body. */
  readonly kind: 'answered' | 'unreachable' | 'bad_response' | 'deadline' | 'response_too_large';
  /** The function's status; 503 if it gave no answer at all, 504 if it took too long, 502 if its answer is of no use. */
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly durationMs: number;
  /** Why it did not answer, or what is wrong with its answer, as the socket or undici names it. */
  readonly code?: string;
  /** The same, for the log. */
  readonly error?: Error;
  /** The request was sent a second time, since a used connection had been closed before it. */
  readonly resent?: true;
}

/** Calls the function once. Undefined when `signal` has cut the attempt short: then it has no result. Never rejects. */
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
      return { ...outcome, kind: 'answered', durationMs };
    case 'unreachable':
      return { ...outcome, status: 503, headers: [], body: emptyBody, durationMs };
    case 'bad_response':
      return { ...outcome, status: 502, headers: [], body: emptyBody, durationMs };
    case 'deadline':
      return { ...outcome, status: 504, headers: [], body: emptyBody, durationMs };
    case 'too_large':
      return { ...outcome, kind: 'response_too_large', status: 502, headers: [], body: emptyBody, durationMs };
    case 'abandoned':
      return undefined;
  }
}
