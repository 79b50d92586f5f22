import type { Call, Delivery, FunctionConfig } from '@asyncfn/queue-core';
import { displayUrl, type Logger } from '@asyncfn/service-kit';
import type { AttemptResult } from './invoke.ts';
import { oncePer } from './once-per.ts';
import type { AttemptTrace } from './tracing/attempt-trace.ts';

/** An attempt that has a result. */
export interface EndedAttempt {
  readonly trace: AttemptTrace | undefined;
  readonly target: FunctionConfig;
  readonly result: AttemptResult;
}

/** One line for each attempt: never a body, a header or a secret (P9). */
export class AttemptLog {
  readonly #logger: Logger;
  readonly #shownUrlOf = oncePer(({ url }: FunctionConfig) => displayUrl(url));

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param retryInMs until the next attempt, if there is one */
  ended(
    call: Call,
    { queue, info }: Delivery,
    { target, result, trace }: EndedAttempt,
    retryInMs: number | undefined,
  ): void {
    const { kind, status, durationMs, error, resent } = result;
    const fields = {
      callId: call.id,
      traceId: trace?.traceId,
      function: call.function,
      queue,
      attempt: call.retry + 1,
      delivery: info.deliveries,
      status,
      durationMs: Math.round(durationMs),
      bytes: result.body.length,
      url: this.#shownUrlOf(target),
      retryInMs,
      resent,
    };
    if (kind === 'answered') {
      this.#logger.info(fields, 'function invoked');
    } else {
      this.#logger.warn({ ...fields, reason: kind, err: error }, 'function gave no answer');
    }
  }
}
