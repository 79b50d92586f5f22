import type { StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import { markSubject } from '../../batches/index.ts';
import {
  addressOf,
  type Call,
  type CallAddress,
  type CallIdentity,
  callHeader,
  callPattern,
  callSubject,
  decodeCall,
  emptyBody,
  encodeEnvelope,
  type GenerationKey,
  generationTokens,
  identityOf,
  keyOf,
  ownerOf,
  queueStream,
} from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import {
  anyOutcomeSubject,
  type CallbackState,
  callbackStateCodec,
  callbackStateSubject,
  type DeadLetter,
  deadLetterCodec,
  deadLetterSubject,
  type Outcome,
  outcomeCodec,
  outcomeSubject,
} from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import type { Delivery } from '../consume/index.ts';
import type { EventPublisher } from '../events/index.ts';
import { outcomeStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, messageAt, setSchedule } from '../messages/index.ts';
import { AtomicPublisher, type Outgoing, type Publisher } from '../publish/index.ts';

/** A recorded end. */
export interface RecordedEnd {
  readonly outcome: Outcome;
  /** When the broker stored it: Unix time in milliseconds. Absent before that. */
  readonly storedAt?: number;
  /** Its sequence in the stream; absent before it is stored. */
  readonly sequence?: number;
}

/** A recorded end with the body of its result. */
export interface StoredOutcome extends RecordedEnd {
  readonly body: Uint8Array;
}

/** Identifies a call in its stream. */
export type LaneCall = Pick<Delivery, 'queue' | 'function' | keyof CallIdentity>;

/** A message of the call's consumer. */
type DeliveredMessage = LaneCall & Pick<Delivery, 'info'>;

/**
 * `superseded`: a newer message of the call exists. `not seen`: it was removed from its queue, or the server that
 * answered is behind: the stream's leader may be behind the consumer's, and a server that stood still may not know yet
 * that another one leads.
 */
export type MessagePlace = 'newest' | 'superseded' | 'not seen';

/** The record of a callback's state. */
export interface CallbackRecord {
  /** Its sequence in the stream, to pass to `recordCallbackState`; 0 for none. */
  readonly sequence: number;
  /** Undefined if no state is recorded, or it cannot be read. */
  readonly state: CallbackState | undefined;
}

/** Stores and reads in JetStream what becomes of a call after an attempt. Methods that publish never throw. */
export class CallStore {
  readonly #publisher: Publisher;
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #outcomes: Pick<Publisher, 'publish'>;
  readonly #marked: AtomicPublisher;
  readonly #events: Pick<EventPublisher, 'isWanted' | 'ended'> | undefined;

  /**
   * @param outcomes stores outcomes: in groups, if each write is a sync. Default: singly
   * @param events is told of the outcomes that are stored. Default: nothing is
   */
  constructor(
    publisher: Publisher,
    topology: Pick<QueueTopology, 'manager'>,
    outcomes: Pick<Publisher, 'publish'> = publisher,
    events?: Pick<EventPublisher, 'isWanted' | 'ended'>,
  ) {
    this.#publisher = publisher;
    this.#topology = topology;
    this.#outcomes = outcomes;
    this.#marked = new AtomicPublisher(publisher);
    this.#events = events;
  }

  /**
   * Has the server put `next` on the queue at `dueAt`. `conflict` means that this was done before, or that the call was
   * removed from the queue: the delivery is no longer the newest message of the call. Except between this step and the
   * ack of the delivery, the stream has at most one message of a call, so the check finds a retry that was stored
   * before a crash, however long ago (P2, P3).
   * @param dueAt Unix time in milliseconds
   */
  scheduleRetry(delivery: DeliveredMessage, next: Call, dueAt: number): Promise<PublishResult> {
    const of = { queue: delivery.queue, function: next.function, ...identityOf(next) };
    const result = new MessageHeaders();
    result.set(callHeader, encodeEnvelope(next));
    result.set('Nats-Msg-Id', `${generationTokens(keyOf(next))}.${next.retry}`);
    setSchedule(result, callSubject({ ...of, readiness: 'ready' }), dueAt);
    expectLast(result, anyReadiness(delivery), delivery.info.streamSequence);
    const subject = callSubject({ ...of, readiness: 'later' });
    return this.#publisher.publish({ subject, headers: result, body: next.body });
  }

  /**
   * Puts back a call that was removed from its queue at the moment it ended, so that a worker can complete the
   * follow-up of its end. It is marked as started, so the worker that gets it looks for its outcome. `conflict` means
   * that the last message of the call is another one.
   * @param startedAt Unix time in milliseconds
   * @param lastSequence of the last message of the call; 0 if it has none
   */
  putBack(call: Call, startedAt: number, lastSequence: number): Promise<PublishResult> {
    const of = { queue: call.queue, function: call.function, ...identityOf(call) };
    const result = new MessageHeaders();
    result.set(callHeader, encodeEnvelope({ ...call, startedAt }));
    expectLast(result, anyReadiness(of), lastSequence);
    return this.#publisher.publish({
      subject: callSubject({ ...of, readiness: 'ready' }),
      headers: result,
      body: call.body,
    });
  }

  /**
   * Records the one outcome of a call. `conflict` means that it has already ended, and that this outcome does not
   * count. The outcome of a call of a batch is stored with its mark, both or none, so the marks of a batch are its
   * ended calls. Replays have none: a batch counts the first end.
   */
  recordOutcome(outcome: Outcome, body: Uint8Array): Promise<PublishResult> {
    const recorded = this.#recordOutcome(outcome, body);
    return this.#events?.isWanted === true ? this.#tell(outcome, recorded) : recorded;
  }

  async #tell(outcome: Outcome, recorded: Promise<PublishResult>): Promise<PublishResult> {
    const result = await recorded;
    if (result.kind === 'stored') {
      this.#events?.ended(outcome);
    }
    return result;
  }

  #recordOutcome(outcome: Outcome, body: Uint8Array): Promise<PublishResult> {
    const subject = outcomeSubject(outcome);
    const result = new MessageHeaders();
    result.set(outcomeCodec.header, outcomeCodec.encode(outcome));
    expectLast(result, subject, 0);
    const mark = toMark(outcome);
    if (mark !== undefined) {
      return this.#marked.publish(outcomeStream, [mark, { subject, headers: result, body }]);
    }
    // The conflict of another outcome refuses the group, not this one: each is then sent alone and gets its own answer.
    return this.#outcomes.publish({ subject, headers: result, body, group: outcomeStream });
  }

  /** Stores the mark of a call of a batch whose outcome has none; undefined for a call without a batch. */
  async putMark(outcome: Outcome): Promise<PublishResult | undefined> {
    const mark = toMark(outcome);
    return mark && (await this.#publisher.publish(mark));
  }

  /**
   * Stores an outcome again unchanged, so that it is kept for a while: before a message of its call is put back.
   * `conflict` means that it was removed, or stored again by another process.
   */
  renewOutcome(stored: StoredOutcome): Promise<PublishResult> {
    return this.replaceOutcome(stored, stored.outcome, stored.body);
  }

  /** Replaces this outcome by another one. `conflict` as for `renewOutcome`. */
  replaceOutcome({ sequence }: RecordedEnd, outcome: Outcome, body: Uint8Array = emptyBody): Promise<PublishResult> {
    const subject = outcomeSubject(outcome);
    const result = new MessageHeaders();
    result.set(outcomeCodec.header, outcomeCodec.encode(outcome));
    expectLast(result, subject, sequence ?? 0);
    return this.#publisher.publish({ subject, headers: result, body });
  }

  /**
   * Records the state of the callback of an ended call.
   * @param after sequence of the record that this one replaces, 0 for none: `conflict` means that a newer one exists.
   * Default: any
   */
  recordCallbackState(of: GenerationKey, state: CallbackState, after?: number): Promise<PublishResult> {
    const subject = callbackStateSubject(of);
    const result = new MessageHeaders();
    result.set(callbackStateCodec.header, callbackStateCodec.encode(state));
    if (after !== undefined) {
      expectLast(result, subject, after);
    }
    return this.#publisher.publish({ subject, headers: result, body: emptyBody });
  }

  /** Stores a call or a callback, whole, as a dead letter. `original` is its own header and body. */
  putDeadLetter(
    letter: DeadLetter,
    original: { readonly header: string; readonly value: string; readonly body: Uint8Array },
  ): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(deadLetterCodec.header, deadLetterCodec.encode(letter));
    if (original.value !== '') {
      result.set(original.header, original.value);
    }
    return this.#publisher.publish({ subject: deadLetterSubject(letter), headers: result, body: original.body });
  }

  /** The call as it is in its queue, ready or scheduled; undefined if it is not there. Throws `QueueError`. */
  async findQueued(of: LaneCall): Promise<Call | undefined> {
    const message = await lastMessage(this.#topology.manager, queueStream(of.queue), anyReadiness(of));
    const decoded = message === undefined ? undefined : decodeCall(headerOf(message, callHeader), message.data);
    return decoded?.kind === 'call' ? decoded.call : undefined;
  }

  /** The body of a delivered call, read from its queue; undefined if it was removed from there. Throws `QueueError`. */
  async readBody({ queue, info }: DeliveredMessage): Promise<Uint8Array | undefined> {
    return (await messageAt(this.#topology.manager, queueStream(queue), info.streamSequence))?.data;
  }

  /** Removes the call from its queue, ready or scheduled. Throws `QueueError`. */
  async removeQueued(of: LaneCall): Promise<void> {
    try {
      await this.#topology.manager.streams.purge(queueStream(of.queue), { filter: anyReadiness(of) });
    } catch (error) {
      throw asQueueError(error, 'a call cannot be removed from its queue');
    }
  }

  /** Whether this very message is in its queue, and the newest of its call. Throws `QueueError`. */
  async isThere(delivery: DeliveredMessage): Promise<boolean> {
    return (await this.placeOf(delivery)) === 'newest';
  }

  /** The place of this message in its queue: see `MessagePlace`. Throws `QueueError`. */
  async placeOf(delivery: DeliveredMessage): Promise<MessagePlace> {
    const last = await lastMessage(this.#topology.manager, queueStream(delivery.queue), anyReadiness(delivery));
    const sequence = delivery.info.streamSequence;
    if (last === undefined || last.seq < sequence) {
      return 'not seen';
    }
    return last.seq === sequence ? 'newest' : 'superseded';
  }

  /** The call's outcome; undefined while it has none. Throws `QueueError`. */
  async findOutcome(of: GenerationKey): Promise<StoredOutcome | undefined> {
    const found = await this.#lastOutcome(outcomeSubject(of), ownerOf(of.submitter));
    return found && { ...found.end, body: found.message.data };
  }

  /**
   * The result body of an ended call; undefined if its outcome is forgotten. A stored message never changes, so any
   * replica may answer. Throws `QueueError`.
   */
  async readResult({ outcome, sequence }: RecordedEnd): Promise<Uint8Array | undefined> {
    const message =
      sequence === undefined
        ? undefined
        : await messageAt(this.#topology.manager, outcomeStream, sequence, { owner: ownerOf(outcome.submitter) });
    return message === undefined ? (await this.findOutcome(outcome))?.body : message.data;
  }

  /**
   * The newest outcome of the calls of an address and their replays; undefined if none has ended. Throws `QueueError`.
   */
  async findNewestOutcome(address: CallAddress): Promise<RecordedEnd | undefined> {
    return (await this.#lastOutcome(anyOutcomeSubject(address), address.owner))?.end;
  }

  /** The state of the callback; undefined if none is recorded. Throws `QueueError`. */
  async findCallbackState(of: GenerationKey): Promise<CallbackState | undefined> {
    return (await this.findCallbackRecord(of)).state;
  }

  /** As `findCallbackState`, with the sequence of the record: 0 if none exists. Throws `QueueError`. */
  async findCallbackRecord(of: GenerationKey): Promise<CallbackRecord> {
    const message = await lastMessage(this.#topology.manager, outcomeStream, callbackStateSubject(of), {
      owner: ownerOf(of.submitter),
      size: 'small',
    });
    return message === undefined
      ? { sequence: 0, state: undefined }
      : { sequence: message.seq, state: callbackStateCodec.decode(headerOf(message, callbackStateCodec.header)) };
  }

  async #lastOutcome(
    subject: string,
    owner: string | undefined,
  ): Promise<{ readonly end: RecordedEnd; readonly message: StoredMsg } | undefined> {
    const message = await lastMessage(this.#topology.manager, outcomeStream, subject, { owner });
    const outcome = message === undefined ? undefined : outcomeCodec.decode(headerOf(message, outcomeCodec.header));
    return message === undefined || outcome === undefined
      ? undefined
      : { end: { outcome, storedAt: message.time.getTime(), sequence: message.seq }, message };
  }
}

function toMark({ batch, submitter, status, generation }: Outcome): Outgoing | undefined {
  return batch === undefined || generation > 0
    ? undefined
    : {
        subject: markSubject({ batchId: batch.id, submitter }, status, batch.index),
        headers: new MessageHeaders(),
        body: emptyBody,
      };
}

function anyReadiness(of: LaneCall): string {
  return callPattern({ queue: of.queue, readiness: '*', function: of.function, call: addressOf(of) });
}

function headerOf(message: StoredMsg, name: string): string {
  const found: MsgHdrs | undefined = message.header;
  return found?.get(name) ?? '';
}
