import { nuid } from '@nats-io/transport-node';
import type { Outgoing } from './publisher.ts';

/** Most messages that nats-server takes in a batch. */
export const maxBatchMessages = 1_000;

/**
 * Makes one publish of several messages of one stream: all of them are stored, in their order and without any other in
 * between, or none is (NATS ADR-50). The expectations of each message are checked as if it came alone. The PubAck,
 * which has the sequence of the last one, confirms all of them.
 *
 * The stream must have `allow_atomic`. Message ids for deduplication are not possible. A refused batch may be sent
 * again: its messages get new marks.
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
  const { group: _, ...commit } = last; // the batch is not grouped again
  return { ...commit, preceding: messages.slice(0, -1) };
}

/** A message without the marks of a batch, to be sent alone. */
export function withoutBatch(message: Outgoing): Outgoing {
  for (const name of ['Nats-Batch-Id', 'Nats-Batch-Sequence', 'Nats-Batch-Commit']) {
    message.headers.delete(name);
  }
  return message;
}
