import { type Call, emptyBody, type Outcome } from '@asyncfn/queue-core';
import type { BodyStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { DeliveredCall } from './delivered-call.ts';

interface Needs {
  readonly bodies: Pick<BodyStore, 'removeOf'>;
  readonly logger: Logger;
}

/**
 * Removes the stored body of a call whose end is recorded, unless a dead letter has it. Never rejects: if it fails, or this
 * worker dies before, the sweeper does it.
 */
export async function removeBody({ bodies, logger }: Needs, call: Call, { status }: Outcome): Promise<void> {
  if (call.bodyObject === undefined || status === 'failed' || status === 'expired') {
    return;
  }
  try {
    await bodies.removeOf(call);
  } catch (err) {
    logger.warn({ err, callId: call.id }, 'the body of an ended call is left to the sweeper');
  }
}

/** Drops the body of a call that has ended from the memory: its callback may take long. */
export function dropBody({ delivery, call, bytes }: DeliveredCall): void {
  delivery.dropBody();
  Object.assign(call, { body: emptyBody });
  bytes?.body.release();
}
