import type { JetStreamManager } from '@nats-io/jetstream';
import { type CallAddress, callFilter, ownerOf, parseCallSubject, queueStream } from '../../call/index.ts';
import { maxChainSteps } from '../../chain/index.ts';
import { anyOutcomeSubject, type Outcome, outcomeCodec } from '../../records/index.ts';
import { outcomeStream } from '../layout/index.ts';
import { lastMessage } from '../messages/index.ts';
import { findMoving, subjectsAt } from './moving-calls.ts';

/**
 * Whether a call that follows in the chain of an ended one has not ended: then the outcome of the first is what leads to it, for
 * a client that cancels the chain. Costs calls without a chain nothing. Throws `QueueError`.
 */
export async function isChainOpen(manager: JetStreamManager, end: Outcome): Promise<boolean> {
  let last: Outcome | undefined = end;
  for (let step = 0; step < maxChainSteps && last?.next !== undefined; step++) {
    // A step that its queue does not take waits among the callbacks, under the key of the call before, and then moves on.
    if ((await findMoving(manager, [last])).size > 0) {
      return true;
    }
    const { callId, queue }: NonNullable<Outcome['next']> = last.next;
    const address: CallAddress = { callId, owner: ownerOf(last.submitter) };
    // A call leaves its queue only after its outcome is stored.
    const subjects = await subjectsAt(manager, queueStream(queue), [callFilter(queue, address)]);
    if (subjects.some((subject) => parseCallSubject(subject)?.callId === callId)) {
      return true;
    }
    const message = await lastMessage(manager, outcomeStream, anyOutcomeSubject(address));
    last = message && outcomeCodec.decode(message.header.get(outcomeCodec.header));
  }
  return false;
}
