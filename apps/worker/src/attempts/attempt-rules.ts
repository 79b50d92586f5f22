import { type AttemptRecord, type Call, hasStarted } from '@asyncfn/queue-core';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import type { DeliveredCall, End } from '../settle/index.ts';
import type { AttemptTrace } from '../tracing/index.ts';

/** Whether no worker can have had the call, or an attempt before it, so that none can have ended it. */
export function isNew({ isFirst, call }: DeliveredCall<Delivery>): boolean {
  return isFirst === true && !hasStarted(call);
}

/** The call with the trace context for whatever follows this attempt. */
export function ofTrace<C extends Call>(call: C, trace: AttemptTrace | undefined): C {
  return trace === undefined ? call : { ...call, headers: trace.call.headers };
}

/**
 * How often a worker may attempt a call again without putting it back into the queue. Not all of the call's budget: the
 * function may reject this very call, and then only time helps.
 */
export function immediateRetries(maxRetries: number): number {
  return Math.min(3, Math.floor(maxRetries / 2));
}

/** An attempt after which another one is to follow. */
export interface Postponement {
  readonly delayMs: number;
  readonly record: AttemptRecord;
  /** How the call ends if the broker cannot store it again. */
  readonly end: End;
}
