import { nuid } from '@nats-io/transport-node';
import type { Outgoing } from './publisher.ts';

/** Most messages that nats-server takes in a batch. */
export const maxBatchMessages = 1_000;

/**
 * Makes one publish of several messages of one stream: all of them are stored, in their order and without any other in
 * between, or none is (NATS ADR-50). What each expects of its subject is checked as if it came alone. The PubAck, which
 * has the sequence of the last one, says that all are stored.
 *
 * The stream must have `allow_atomic`. Message ids for deduplication are not possible. A batch that is refused may be
 * sent again: its messages are marked anew.
 */
export function toAtomicBatch(messages: readonly Outgoing[]): Outgoing {
  const last = messages.at(-1);
  if (last === undefined || messages.length > maxBatchMessages) {
    throw new RangeError(`a batch has 1 to ${maxBatchMessages} messages, not ${messages.length}`);
  }
  const id = nuid.next();
  for (const [index, { headers }] of messages.entries()) {
    headers.set('Nats-Batch-Id', id);
    headers.set('Nats-Batch-Sequence', String(index + 1));
    headers.delete('Nats-Batch-Commit');
  }
  last.headers.set('Nats-Batch-Commit', '1');
  const { group: _, ...commit } = last; // it is one already
  return { ...commit, preceding: messages.slice(0, -1) };
}

/** A message as it was before it was part of a batch, to be sent alone. */
export function withoutBatch(message: Outgoing): Outgoing {
  for (const name of ['Nats-Batch-Id', 'Nats-Batch-Sequence', 'Nats-Batch-Commit']) {
    message.headers.delete(name);
  }
  return message;
}
