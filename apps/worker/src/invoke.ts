import type { Call, FunctionConfig, HeaderList } from '@asyncfn/queue-core';
import type { Dispatcher } from 'undici';
import { type FunctionRequestOptions, toFunctionRequest } from './function-request.ts';
import { exchange, type HttpOutcome } from './http/exchange.ts';

/** What a function made of one attempt, or what stands for its answer where there was none. */
export interface AttemptResult {
  /** How the attempt went. Only `answered` has the function's own status, headers and body. */
  readonly kind: 'answered' | 'unreachable' | 'deadline' | 'response_too_large';
  /** The function's status; 503 where it could not be reached, 504 where it took too long, 502 where it said too much. */
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly durationMs: number;
  /** Where the function could not be reached: why, as the socket or undici names it. */
  readonly code?: string;
  /** Of what broke the connection; for the log. */
  readonly error?: Error;
}

const nothing = new Uint8Array();

/** Calls the function once. Undefined when `signal` has cut the attempt short: then it has no result. Never rejects. */
export async function invoke(
  dispatcher: Dispatcher,
  call: Call,
  target: FunctionConfig,
  options: FunctionRequestOptions,
): Promise<AttemptResult | undefined> {
  const startedAt = performance.now();
  const outcome = await exchange(dispatcher, toFunctionRequest(call, target, options));
  return toResult(outcome, performance.now() - startedAt);
}

function toResult(outcome: HttpOutcome, durationMs: number): AttemptResult | undefined {
  switch (outcome.kind) {
    case 'answer':
      return { ...outcome, kind: 'answered', durationMs };
    case 'unreachable':
      return { ...outcome, status: 503, headers: [], body: nothing, durationMs };
    case 'deadline':
      return { kind: 'deadline', status: 504, headers: [], body: nothing, durationMs };
    case 'too_large':
      return { kind: 'response_too_large', status: 502, headers: [], body: nothing, durationMs };
    case 'abandoned':
      return undefined;
  }
}
