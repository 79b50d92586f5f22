import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import { anyone, type Caller } from '@asyncfn/tokens';
import type { Span } from '@opentelemetry/api';

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
