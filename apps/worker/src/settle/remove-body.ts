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

/** Removes the large response of an attempt that does not count, unless a recorded outcome refers to it. */
export function removeUnusedReply(
  { bodies, logger }: { readonly bodies: Pick<BodyStore, 'removeUnused'>; readonly logger: Logger },
  { callId, bodyObject }: Outcome,
): void {
  if (bodyObject !== undefined) {
    bodies.removeUnused(bodyObject).catch((err: unknown) => {
      logger.debug({ err, callId }, 'the response of an attempt that does not count is left to the sweeper');
    });
  }
}

/** Drops the body of a call that has ended from the memory: its callback may take long. */
export function dropBody({ delivery, call, bytes }: DeliveredCall): void {
  delivery.dropBody();
  Object.assign(call, { body: emptyBody });
  bytes?.body.release();
}
