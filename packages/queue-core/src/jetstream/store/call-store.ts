import type { StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
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
import { outcomeStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, messageAt, setSchedule } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** A recorded end. */
export interface RecordedEnd {
  readonly outcome: Outcome;
  /** When the broker stored it: Unix time in milliseconds. Absent before that. */
  readonly storedAt?: number;
  /** Its place in the stream; absent before it is stored. */
  readonly sequence?: number;
}

/** A recorded end with the body of its result. */
export interface StoredOutcome extends RecordedEnd {
  readonly body: Uint8Array;
}

/** What places a call in its stream. */
export type LaneCall = Pick<Delivery, 'queue' | 'function' | keyof CallIdentity>;

/** A message of the call's consumer. */
type DeliveredMessage = LaneCall & Pick<Delivery, 'info'>;

/**
 * `superseded`: a newer message of the call is there. `not seen`: it was taken out of its queue, or the server that was asked
 * has not come as far: one that leads the stream may be behind the one that delivers, and one that stood still may not know
 * yet that another one leads.
 */
export type MessagePlace = 'newest' | 'superseded' | 'not seen';

/** What is recorded of a callback. */
export interface CallbackRecord {
  /** Its place in the stream, to be told to `recordCallbackState`; 0 for none. */
  readonly sequence: number;
  /** Undefined where nothing is recorded, or cannot be read. */
  readonly state: CallbackState | undefined;
}

/** What becomes of a call after an attempt, written down in JetStream. Methods that publish never throw. */
export class CallStore {
  readonly #publisher: Publisher;
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #outcomes: Pick<Publisher, 'publish'>;

  /** @param outcomes stores the ends of calls: one that does so in groups, where each write is a sync. Default: singly */
  constructor(
    publisher: Publisher,
    topology: Pick<QueueTopology, 'manager'>,
    outcomes: Pick<Publisher, 'publish'> = publisher,
  ) {
    this.#publisher = publisher;
    this.#topology = topology;
    this.#outcomes = outcomes;
  }

  /**
   * Has the server put `next` on the queue at `dueAt`. `conflict` means that this was done before, or that the call was
   * taken out of the queue: the delivery in hand is not the newest word on the call any more. There is at most one
   * message of a call in the stream but for the moment between this and the acknowledgement of the delivery, so the
   * check finds a retry that a crash has hidden from us, however long ago it was (P2, P3).
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
   * Puts a call back that was taken out of its queue in the moment in which it ended, for a worker to do what may be left
   * to do after that end. It has been started, and says so: whoever gets it looks for its end. `conflict` means that the
   * last message of the call is another one.
   * @param startedAt Unix time in milliseconds
   * @param lastSequence of the last message of the call; 0 where there is none
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

  /** Records the one end of a call. `conflict` means that it has ended before, and that this end does not count. */
  recordOutcome(outcome: Outcome, body: Uint8Array): Promise<PublishResult> {
    const subject = outcomeSubject(outcome);
    const result = new MessageHeaders();
    result.set(outcomeCodec.header, outcomeCodec.encode(outcome));
    expectLast(result, subject, 0);
    // Another one's conflict refuses the group, never this outcome: each is then sent alone, and gets its own answer.
    return this.#outcomes.publish({ subject, headers: result, body, group: outcomeStream });
  }

  /**
   * Stores an end again as it is, so that it is not old for a while: for whoever is about to put a message of its call back.
   * `conflict` means that it was forgotten, or stored again by somebody else.
   */
  renewOutcome({ outcome, body, sequence }: StoredOutcome): Promise<PublishResult> {
    const subject = outcomeSubject(outcome);
    const result = new MessageHeaders();
    result.set(outcomeCodec.header, outcomeCodec.encode(outcome));
    expectLast(result, subject, sequence ?? 0);
    return this.#publisher.publish({ subject, headers: result, body });
  }

  /**
   * Records how far the callback of a call that has ended has come.
   * @param after the record that this one takes the place of, 0 for none: `conflict` means that there is a newer one.
   * Default: whatever there is
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

  /** Puts a call or a callback, whole, among the dead letters. `original` is the header that it travelled with. */
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

  /** The call as it stands in its queue, ready or waiting; undefined where there is none. Throws `QueueError`. */
  async findQueued(of: LaneCall): Promise<Call | undefined> {
    const message = await lastMessage(this.#topology.manager, queueStream(of.queue), anyReadiness(of));
    const decoded = message === undefined ? undefined : decodeCall(headerOf(message, callHeader), message.data);
    return decoded?.kind === 'call' ? decoded.call : undefined;
  }

  /** The body of a call in hand as its queue has it; undefined where it has been taken out of there. Throws `QueueError`. */
  async readBody({ queue, info }: DeliveredMessage): Promise<Uint8Array | undefined> {
    return (await messageAt(this.#topology.manager, queueStream(queue), info.streamSequence))?.data;
  }

  /** Takes the call out of its queue, wherever it stands there. Throws `QueueError`. */
  async removeQueued(of: LaneCall): Promise<void> {
    try {
      await this.#topology.manager.streams.purge(queueStream(of.queue), { filter: anyReadiness(of) });
    } catch (error) {
      throw asQueueError(error, 'a call cannot be taken out of its queue');
    }
  }

  /** Whether this very message is in its queue, and the newest of its call. Throws `QueueError`. */
  async isThere(delivery: DeliveredMessage): Promise<boolean> {
    return (await this.placeOf(delivery)) === 'newest';
  }

  /** What has become of this message: see `MessagePlace`. Throws `QueueError`. */
  async placeOf(delivery: DeliveredMessage): Promise<MessagePlace> {
    const last = await lastMessage(this.#topology.manager, queueStream(delivery.queue), anyReadiness(delivery));
    const sequence = delivery.info.streamSequence;
    if (last === undefined || last.seq < sequence) {
      return 'not seen';
    }
    return last.seq === sequence ? 'newest' : 'superseded';
  }

  /** How the call has ended; undefined while it has not. Throws `QueueError`. */
  async findOutcome(of: GenerationKey): Promise<StoredOutcome | undefined> {
    const found = await this.#lastOutcome(outcomeSubject(of));
    return found && { ...found.end, body: found.message.data };
  }

  /**
   * The body of the result of a call that was found to have ended; undefined where its end is forgotten. What is stored at
   * a place never changes, so any replica may tell. Throws `QueueError`.
   */
  async readResult({ outcome, sequence }: RecordedEnd): Promise<Uint8Array | undefined> {
    const message =
      sequence === undefined ? undefined : await messageAt(this.#topology.manager, outcomeStream, sequence);
    return message === undefined ? (await this.findOutcome(outcome))?.body : message.data;
  }

  /** The newest end of the calls of an address and their replays; undefined where none has ended. Throws `QueueError`. */
  async findNewestOutcome(address: CallAddress): Promise<RecordedEnd | undefined> {
    return (await this.#lastOutcome(anyOutcomeSubject(address)))?.end;
  }

  /** How far the callback has come; undefined where nothing is recorded. Throws `QueueError`. */
  async findCallbackState(of: GenerationKey): Promise<CallbackState | undefined> {
    return (await this.findCallbackRecord(of)).state;
  }

  /** As `findCallbackState`, with the place of the record: 0 where there is none. Throws `QueueError`. */
  async findCallbackRecord(of: GenerationKey): Promise<CallbackRecord> {
    const message = await lastMessage(this.#topology.manager, outcomeStream, callbackStateSubject(of));
    return message === undefined
      ? { sequence: 0, state: undefined }
      : { sequence: message.seq, state: callbackStateCodec.decode(headerOf(message, callbackStateCodec.header)) };
  }

  async #lastOutcome(subject: string): Promise<{ readonly end: RecordedEnd; readonly message: StoredMsg } | undefined> {
    const message = await lastMessage(this.#topology.manager, outcomeStream, subject);
    const outcome = message === undefined ? undefined : outcomeCodec.decode(headerOf(message, outcomeCodec.header));
    return message === undefined || outcome === undefined
      ? undefined
      : { end: { outcome, storedAt: message.time.getTime(), sequence: message.seq }, message };
  }
}

function anyReadiness(of: LaneCall): string {
  return callPattern({ queue: of.queue, readiness: '*', function: of.function, call: addressOf(of) });
}

function headerOf(message: StoredMsg, name: string): string {
  const found: MsgHdrs | undefined = message.header;
  return found?.get(name) ?? '';
}
