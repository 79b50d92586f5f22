import type { Call } from '@asyncfn/queue-core';
import { type CallStore, type Delivery, readBytes } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteShare, isReserved } from './byte-budget.ts';

interface Needs {
  readonly store: Pick<CallStore, 'readBody'>;
  readonly logger: Logger;
  /** Aborts when calls that have not begun must go back. */
  readonly stopping: AbortSignal;
}

/**
 * The result of the wait: the body is available, or the call must go back to its queue. If it was removed from there,
 * the broker drops it; a server that does not have it may also be behind.
 */
export type BodyWait = 'there' | 'back';

/** Bytes of the body that are in memory while the call runs. One that is stored apart is read in pieces. */
export function heldBytes({ body, bodyObject }: Call): number {
  return bodyObject === undefined ? body.length : Math.min(bodyObject.length, readBytes);
}

/** Drops the body of a call that has no room, and reads it again when it has. */
export async function waitForBody(
  delivery: Delivery,
  call: Call,
  share: ByteShare,
  { store, logger, stopping }: Needs,
): Promise<BodyWait> {
  const bytes = heldBytes(call);
  delivery.dropBody();
  if (!(await isReserved(share, bytes, { signal: stopping }))) {
    return 'back';
  }
  try {
    const body = await store.readBody(delivery);
    if (body === undefined) {
      return 'back';
    }
    Object.assign(call, { body });
    return 'there';
  } catch (err) {
    logger.warn(
      { err, callId: call.id, function: call.function },
      'body of a call cannot be read: the call goes back to its queue',
    );
    return 'back';
  }
}
