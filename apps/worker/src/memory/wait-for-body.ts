import type { Call, CallStore, Delivery } from '@asyncfn/queue-core';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteShare, isReserved } from './byte-budget.ts';

interface Needs {
  readonly store: Pick<CallStore, 'readBody'>;
  readonly logger: Logger;
  /** Aborts when calls that have not begun go back. */
  readonly stopping: AbortSignal;
}

/** What came of the wait: the body is there; the queue does not have the call any more; or it has to go back there. */
export type BodyWait = 'there' | 'gone' | 'back';

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
    Object.assign(call, { body });
    return body === undefined ? 'gone' : 'there';
  } catch (err) {
    logger.warn({ err, callId: call.id, function: call.function }, 'body of a call cannot be read, it goes back');
    return 'back';
  }
}
