import type { BodyOwner } from '../../bodies/index.ts';
import { addressOf, type CallAddress, callFilter, callPattern, queueStream } from '../../call/index.ts';
import { anyCancelIntentSubject, deadLetterFilter } from '../../records/index.ts';
import { isApiError } from '../error-codes.ts';
import { cancelStream, deadLetterStream, type QueueTopology } from '../layout/index.ts';
import { hasMessage } from '../messages/index.ts';

type Topology = Pick<QueueTopology, 'manager' | 'listQueues'>;

/**
 * Whether anything may still need the body of a call: its message in a queue, a cancel that may put that back, or a dead
 * letter. The order matters: a call moves from a queue to the dead letters by itself, and whatever moves it back says so
 * afterwards (`BodyStore.keep`). Throws `QueueError`.
 * @param hasEnded whether the call has ended for good, so that a message of it needs no body
 */
export async function isReferred(topology: Topology, owner: BodyOwner, hasEnded = false): Promise<boolean> {
  const call = addressOf(owner);
  return (
    (!hasEnded && (await isQueued(topology, owner, call))) ||
    (await hasMessage(topology.manager, cancelStream, anyCancelIntentSubject(call), call.owner)) ||
    (await hasMessage(topology.manager, deadLetterStream, deadLetterFilter({ kind: 'call', call }), call.owner))
  );
}

/** Most calls are where they were accepted. A replay may have put the call into another queue. */
async function isQueued(topology: Topology, owner: BodyOwner, call: CallAddress): Promise<boolean> {
  const { queue, function: name } = owner;
  if (await has(topology, queue, callPattern({ queue, readiness: '*', function: name, call }), call)) {
    return true;
  }
  for (const each of await topology.listQueues()) {
    if (await has(topology, each, callFilter(each, call), call)) {
      return true;
    }
  }
  return false;
}

async function has({ manager }: Topology, queue: string, subject: string, { owner }: CallAddress): Promise<boolean> {
  try {
    return await hasMessage(manager, queueStream(queue), subject, owner);
  } catch (error) {
    if (isApiError(error instanceof Error ? error.cause : error, 'streamNotFound')) {
      return false;
    }
    throw error;
  }
}
