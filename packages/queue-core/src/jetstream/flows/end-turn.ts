import { QueueError } from '../../errors.ts';
import type { Flows } from './flows.ts';

/**
 * Gives the next call of its key the turn, once nothing of this one is left in its queue. Throws `QueueError` if that could not be done:
 * it has to be tried again.
 */
export async function endTurn(flows: Pick<Flows, 'removed'>, call: Parameters<Flows['removed']>[0]): Promise<void> {
  const result = await flows.removed(call);
  if (result.kind === 'refused') {
    throw new QueueError('broker', `the turn of a call could not be ended: ${result.detail}`);
  }
}
