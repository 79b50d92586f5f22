import type { Call, CallIdentity, DeadLetterReason } from '@asyncfn/queue-core';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import type { AttemptResult } from '../invoke/index.ts';
import type { CallBytes } from '../memory/index.ts';

/** How a call ended. */
export interface End {
  readonly status: 'succeeded' | 'failed' | 'expired';
  readonly reason?: DeadLetterReason | undefined;
  readonly maxRetries: number;
  /** Result of the last attempt; undefined for a call without one. */
  readonly result?: AttemptResult | undefined;
}

/** The end of a call that was not started in time. */
export function expiredEnd(call: Call): End {
  return { status: 'expired', reason: 'expired', maxRetries: call.maxRetries ?? 0 };
}

/** The part of a delivery that ending a call needs. */
export type SettleableDelivery = Pick<
  Delivery,
  keyof CallIdentity | 'function' | 'queue' | 'ack' | 'nak' | 'dropBody'
> &
  Partial<Pick<Delivery, 'info'>>;

/** A call with its delivery. */
export interface DeliveredCall<D extends SettleableDelivery = SettleableDelivery> {
  readonly delivery: D;
  readonly call: Call;
  /** Whether no worker can have had it before. Default: one may have. */
  readonly isFirst?: boolean;
  /** Released as soon as the bytes are dropped, or counted elsewhere. */
  readonly bytes?: CallBytes | undefined;
  /** Whether its function has a cap: then other calls wait until this one has left the queue. */
  readonly capped?: boolean;
  /** When it was last seen to have no outcome and a message in the queue: on the monotonic clock. */
  readonly seenAt: number;
}
