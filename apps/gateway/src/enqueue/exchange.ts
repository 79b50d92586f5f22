import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyLengthOf, type Call } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Logger } from '@asyncfn/service-kit';
import { anyone, type Caller } from '@asyncfn/tokens';
import type { Span } from '@opentelemetry/api';
import type { AcceptedCall } from './accept.ts';

/** The state of one enqueue, from its headers to its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #startedAt = performance.now();
  caller: Caller = anyone;
  function: FunctionConfig | undefined;
  /** Undefined if tracing is off. */
  span: Span | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
  }

  /** Since its headers came. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get traceId(): string | undefined {
    return this.span?.spanContext().traceId;
  }
}

/** The line for each accepted call. */
export function logAccepted(logger: Logger, call: Call, { callId, replayed }: AcceptedCall, exchange: Exchange): void {
  const fields = {
    callId,
    traceId: exchange.traceId,
    function: call.function,
    queue: call.queue,
    token: call.submitter,
    bytes: bodyLengthOf(call),
    durationMs: Math.round(exchange.elapsedMs),
    ...(call.notBefore !== undefined && { notBefore: new Date(call.notBefore).toISOString() }),
  };
  logger.info(fields, replayed ? 'call was already accepted' : 'call accepted');
}
