import type { BodyOwner, StoredReply, WholeBody } from '../../bodies/index.ts';
import { addressOf, type CallAddress, callFilter, callPattern, queueStream } from '../../call/index.ts';
import {
  anyCancelIntentSubject,
  callbackSubject,
  deadLetterFilter,
  outcomeCodec,
  outcomeSubject,
} from '../../records/index.ts';
import { isApiError } from '../error-codes.ts';
import { callbackStream, cancelStream, deadLetterStream, outcomeStream, type QueueTopology } from '../layout/index.ts';
import { hasMessage, lastMessage } from '../messages/index.ts';

type Topology = Pick<QueueTopology, 'manager' | 'listQueues'>;

/**
 * Whether anything may still need a body. The order of the looks matters: it is that in which references move by themselves,
 * and whatever moves one back says so afterwards (`BodyStore.keep`). Throws `QueueError`.
 * @param hasEnded whether its call has ended for good, so that a message of it needs no body
 */
export function isReferred(topology: Topology, body: WholeBody, hasEnded = false): Promise<boolean> {
  return body.v === 1 ? isCallReferred(topology, body.owner, hasEnded) : isReplyReferred(topology, body);
}

/** The message of the call in a queue, a cancel that may put that back, or a dead letter. */
async function isCallReferred(topology: Topology, owner: BodyOwner, hasEnded: boolean): Promise<boolean> {
  const call = addressOf(owner);
  return (
    (!hasEnded && (await isQueued(topology, owner, call))) ||
    (await isBeingCancelled(topology, call)) ||
    (await hasMessage(topology.manager, deadLetterStream, deadLetterFilter({ kind: 'call', call }), {
      owner: call.owner,
    }))
  );
}

/**
 * A call that has not left its queue may be about to get its outcome. The outcome names the response, a callback carries it, and
 * so does a dead letter of that. Then the next step of the chain has it, as any call has its body.
 */
async function isReplyReferred(topology: Topology, reply: StoredReply): Promise<boolean> {
  const { owner, generation, next } = reply;
  const { manager } = topology;
  const call = addressOf(owner);
  const callback = callbackSubject('*', { ...owner, generation });
  return (
    // Most responses are shown as results. A look that finds one may come at any time; the one that does not has its turn below.
    (await hasOutcome(topology, reply, call)) ||
    (await isQueued(topology, owner, call)) ||
    (await isBeingCancelled(topology, call)) ||
    (await hasOutcome(topology, reply, call)) ||
    (await hasMessage(manager, callbackStream, callback, { owner: call.owner })) ||
    (await hasMessage(manager, deadLetterStream, deadLetterFilter({ kind: 'callback', call }), {
      owner: call.owner,
    })) ||
    (next !== undefined && (await isCallReferred(topology, next, false)))
  );
}

function isBeingCancelled({ manager }: Topology, call: CallAddress): Promise<boolean> {
  return hasMessage(manager, cancelStream, anyCancelIntentSubject(call), { owner: call.owner });
}

/** An outcome that cannot be read may name it. An erased one, and that of another attempt, do not. */
async function hasOutcome(
  { manager }: Topology,
  { owner, generation, object }: StoredReply,
  call: CallAddress,
): Promise<boolean> {
  const subject = outcomeSubject({ ...owner, generation });
  const message = await lastMessage(manager, outcomeStream, subject, { owner: call.owner });
  const outcome = message && outcomeCodec.decode(message.header.get(outcomeCodec.header));
  return message !== undefined && (outcome === undefined || outcome.bodyObject?.id === object.id);
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
    return await hasMessage(manager, queueStream(queue), subject, { owner });
  } catch (error) {
    if (isApiError(error instanceof Error ? error.cause : error, 'streamNotFound')) {
      return false;
    }
    throw error;
  }
}
