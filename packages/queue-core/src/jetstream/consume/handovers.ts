import type { StoredMsg } from '@nats-io/jetstream';
import { type AttemptRecord, withAttempt } from '../../attempts/index.ts';
import { type CallIdentity, emptyBody, identityTokens, ownerOf } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { type BegunDelivery, begunDeliveryCodec } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { handoverStream, type QueueTopology } from '../layout/index.ts';
import { lastMessage, MessageHeaders } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';
import type { Delivery } from './delivery.ts';

/** Bounds the memory of a worker whose broker stays full. */
const maxUnstored = 10_000;

/**
 * Records which deliveries a worker began, and which it handed back because it was stopped. JetStream counts
 * deliveries; only one that was begun and never settled may count as a worker that the call has killed: not one that a
 * worker could not begin, that the worker running the call ignored, or that ended in a hand-over.
 */
export class Handovers {
  readonly #publisher: Publisher;
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #unstored = new Map<string, number>();

  constructor(publisher: Publisher, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /** Records one hand-over. If the broker cannot store it, this process at least remembers it. Never throws. */
  async note(call: CallIdentity): Promise<void> {
    const subject = subjectOf(call);
    const result = await this.#publish(subject);
    if (result.kind === 'refused' && this.#unstored.size < maxUnstored) {
      this.#unstored.set(subject, (this.#unstored.get(subject) ?? 0) + 1);
    }
  }

  /** When the call was handed back last, by the broker's clock: Unix time in milliseconds. Throws `QueueError`. */
  async lastAt(call: CallIdentity): Promise<number | undefined> {
    return (await this.#last(call))?.time.getTime();
  }

  /**
   * Records that an attempt begins with a delivery that is not the first; a first one needs no record, so most calls
   * cost nothing. If the broker does not store it, the delivery counts as not begun. Never throws.
   */
  async noteBegin(call: CallIdentity, begun: BegunDelivery): Promise<void> {
    const headers = new MessageHeaders();
    headers.set(begunDeliveryCodec.header, begunDeliveryCodec.encode(begun));
    await this.#publish(`${subjectOf(call)}.begun`, headers);
  }

  /**
   * The attempts that earlier deliveries of this message have begun and not ended, oldest first. A first delivery leaves
   * no note, so its worker is not known, and its time is that at which the call was ready for it. Throws `QueueError`.
   * @param attempt number of the attempt that was lost, and is made again
   */
  async findLost(delivery: CallIdentity & Pick<Delivery, 'info'>, attempt: number): Promise<AttemptRecord[]> {
    const { deliveries, storedAtMs, streamSequence } = delivery.info;
    if (deliveries < 2) {
      return [];
    }
    const [begun, handed] = await Promise.all([this.#last(delivery, '.begun'), this.#last(delivery)]);
    const note = begun && begunDeliveryCodec.decode(begun.header.get(begunDeliveryCodec.header));
    const isOfMessage =
      note === undefined ? begun !== undefined && begun.time.getTime() >= storedAtMs : note.sequence === streamSequence;
    if (begun === undefined || !isOfMessage) {
      const isHandedBack = handed !== undefined && handed.time.getTime() >= storedAtMs;
      return isHandedBack ? [] : [{ attempt, startedAt: storedAtMs, verdict: 'lost' }];
    }
    const isHandedBack = handed !== undefined && handed.seq > begun.seq;
    const { lost = [], startedAt = begun.time.getTime(), worker } = note ?? {};
    return isHandedBack
      ? lost
      : withAttempt(lost, { attempt, startedAt, verdict: 'lost', ...(worker !== undefined && { worker }) });
  }

  /** How often the call was handed back in the last week. Throws `QueueError`. */
  async count(call: CallIdentity): Promise<number> {
    const subject = subjectOf(call);
    return (await this.#count(subject)) + (this.#unstored.get(subject) ?? 0);
  }

  /** How many deliveries of the call were begun in the last week and not handed back. Throws `QueueError`. */
  async countUnfinished(call: CallIdentity): Promise<number> {
    return 1 + (await this.#count(`${subjectOf(call)}.begun`)) - (await this.count(call));
  }

  async #count(subject: string): Promise<number> {
    try {
      const info = await this.#topology.manager.streams.info(handoverStream, { subjects_filter: subject });
      return info.state.subjects?.[subject] ?? 0;
    } catch (error) {
      throw asQueueError(error, 'the deliveries of a call that were begun or handed back cannot be counted');
    }
  }

  #last(call: CallIdentity, kind: '' | '.begun' = ''): Promise<StoredMsg | undefined> {
    const subject = `${subjectOf(call)}${kind}`;
    return lastMessage(this.#topology.manager, handoverStream, subject, {
      owner: ownerOf(call.submitter),
      size: 'small',
    });
  }

  #publish(subject: string, headers = new MessageHeaders()): Promise<PublishResult> {
    return this.#publisher.publish({ subject, headers, body: emptyBody });
  }
}

function subjectOf(call: CallIdentity): string {
  return `handovers.${identityTokens(call)}`;
}
