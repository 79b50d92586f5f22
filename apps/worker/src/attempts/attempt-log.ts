import type { Call } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import { redirectOf } from '@asyncfn/queue-core/settle';
import { displayUrl, type Logger } from '@asyncfn/service-kit';
import type { AbortWatch } from '../http/index.ts';
import type { AttemptResult } from '../invoke/index.ts';
import { memoizeWeak } from '../memoize-weak.ts';
import { OncePerHour } from '../once-per-hour.ts';
import type { AttemptTrace } from '../tracing/index.ts';

/** An attempt that has a result. */
export interface EndedAttempt {
  readonly trace: AttemptTrace | undefined;
  readonly target: FunctionConfig;
  readonly result: AttemptResult;
}

/** Most characters of a URL sent by a function that are logged. */
const maxUrlLength = 2_000;

/** Logs one line for each attempt: never a body, a header or a secret (P9), except `Location` without its query. */
export class AttemptLog {
  readonly #logger: Logger;
  readonly #shownUrlOf = memoizeWeak(({ url }: FunctionConfig) => displayUrl(url));

  readonly #redirects: OncePerHour;

  /** @param now Unix time in milliseconds */
  constructor(logger: Logger, now: () => number) {
    this.#logger = logger;
    this.#redirects = new OncePerHour(now);
  }

  /** Tells if the broker does not give the body, so that the attempt does not count. Passes the result on. */
  async largeBody(
    { id: callId, function: name }: Call,
    invoked: Promise<AttemptResult | undefined>,
    signal: AbortWatch,
  ): Promise<AttemptResult | undefined> {
    const result = await invoked;
    if (result === undefined && !signal.aborted) {
      const message = 'large body of a call cannot be read now: the call goes back to its queue';
      this.#logger.warn({ callId, function: name }, message);
    }
    return result;
  }

  /** @param retryInMs until the next attempt; undefined if none follows */
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
      bytes: result.object?.length ?? result.body.length,
      url: this.#shownUrlOf(target),
      retryInMs,
      resent,
    };
    if (kind === 'answered') {
      this.#logger.info(fields, 'function invoked');
      this.#warnOfRedirect(call, target, result);
    } else {
      this.#logger.warn({ ...fields, reason: kind, err: error }, 'function gave no answer');
    }
  }

  /** Once an hour for each function: a redirect counts as success, although the function may not have run. */
  #warnOfRedirect(call: Call, target: FunctionConfig, { status, headers }: AttemptResult): void {
    const redirect = redirectOf(status, headers);
    if (redirect === undefined || !this.#redirects.isDue(call.function)) {
      return;
    }
    const { id: callId, function: name, queue } = call;
    const location = redirect.location === undefined ? undefined : displayUrl(redirect.location).slice(0, maxUrlLength);
    this.#logger.warn(
      { callId, function: name, queue, status, url: this.#shownUrlOf(target), location },
      'function answers with a redirect, which is its result and is not followed: correct its URL if you did not intend this',
    );
  }
}
