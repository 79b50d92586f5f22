import type { Call } from '@asyncfn/queue-core';
import type { CallStore, Delivery } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteShare, isReserved } from './byte-budget.ts';

interface Needs {
  readonly store: Pick<CallStore, 'readBody'>;
  readonly logger: Logger;
  /** Aborts when calls that have not begun go back. */
  readonly stopping: AbortSignal;
}

/**
 * What came of the wait: the body is there, or the call has to go back to its queue. If it has been taken out of there, the
 * broker drops it then; a server that does not show it may as well be behind.
 */
export type BodyWait = 'there' | 'back';

/** Drops the body of a call that there is no room for, and reads it again when there is. */
export async function waitForBody(
  delivery: Delivery,
  call: Call,
  share: ByteShare,
  { store, logger, stopping }: Needs,
): Promise<BodyWait> {
  const { length } = call.body;
  delivery.dropBody();
  if (!(await isReserved(share, length, { signal: stopping }))) {
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
    logger.warn({ err, callId: call.id, function: call.function }, 'body of a call cannot be read, it goes back');
    return 'back';
  }
}
