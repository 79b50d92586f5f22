import { addressOf, type CallSubject, callFilter, callPattern, queueStream } from '../../call/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isMessageGone } from '../error-codes.ts';
import { laneProgress, type QueueTopology, wasDelivered } from '../layout/index.ts';
import type { QueuedCall } from '../lookup/index.ts';
import { hasMessage } from '../messages/index.ts';

/** Removes calls from their queues. */
export class CallRemover {
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(topology: Pick<QueueTopology, 'manager'>) {
    this.#topology = topology;
  }

  /**
   * Whether this very message may have been delivered to a worker: it was delivered, or is older than its consumer.
   * Throws `QueueError`.
   */
  async isDelivered({ subject, sequence, storedAtMs }: QueuedCall): Promise<boolean> {
    if (subject.readiness !== 'ready') {
      return false;
    }
    const progress = await laneProgress(this.#topology.manager, subject);
    return wasDelivered(progress, { sequence, storedAtMs }) !== 'no';
  }

  /**
   * Removes this very message, so that it is never delivered again. False if it no longer exists. Throws `QueueError`.
   */
  async remove({ call, subject, sequence }: QueuedCall): Promise<boolean> {
    const { manager } = this.#topology;
    const stream = queueStream(subject.queue);
    try {
      if (call.flow !== undefined && subject.readiness !== 'wait') {
        // With its waiting copy it could become ready once more.
        const { queue, function: name } = subject;
        const filter = callPattern({ queue, readiness: 'wait', function: name, call: addressOf(subject) });
        await manager.streams.purge(stream, { filter, seq: sequence });
      }
      const isRemoved = await manager.streams.deleteMessage(stream, sequence, false);
      // A call that has just got its turn leaves such a message behind, and is ready.
      const isLeftOver =
        subject.readiness === 'wait' &&
        (await hasMessage(manager, stream, callFilter(subject.queue, addressOf(subject))));
      return isRemoved && !isLeftOver;
    } catch (error) {
      if (isMessageGone(error)) {
        return false;
      }
      throw asQueueError(error, 'a call cannot be removed from its queue');
    }
  }

  /** Removes all messages of the call, including one that a schedule has just stored. Throws `QueueError`. */
  async removeAll(subject: CallSubject): Promise<void> {
    const { queue } = subject;
    try {
      await this.#topology.manager.streams.purge(queueStream(queue), { filter: callFilter(queue, addressOf(subject)) });
    } catch (error) {
      throw asQueueError(error, 'a call cannot be removed from its queue');
    }
  }
}
