import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import {
  addressOf,
  type Call,
  type CallIdentity,
  callFilter,
  callPattern,
  callSubject,
  flowEntryFilter,
  flowEntrySubject,
  flowNoticeSubject,
  flowStateSubject,
  ownerOf,
  parseFlowEntry,
  queueStream,
  readCallSubject,
} from '../../call/index.ts';
import { type FlowPlace, type FlowState, flowStateCodec, withTimes } from '../../flows/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { asQueueError } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { hasMessage, inTurn, lastMessage, nextOfLeader, retryWhileUndecided } from '../messages/index.ts';
import { AtomicPublisher, type Outgoing, type Publisher } from '../publish/index.ts';
import { doesExpire, type TimedTurn, toImmediateTurn, toStateMessage, toTurn } from './flow-messages.ts';
import { readBatch } from './read-batch.ts';

/** The state of a key as it is stored. */
export interface StoredState {
  /** Undefined for a key without calls that have their turn, and for a record that cannot be read. */
  readonly state: FlowState | undefined;
  /** 0 for none. */
  readonly sequence: number;
  /** Whether the broker removes it after a time. */
  readonly expires: boolean;
}

/** What is stored about flow keys. All reads ask the stream's leader: a follower may be behind. */
export class FlowStore {
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #atomic: AtomicPublisher;

  constructor(topology: Pick<QueueTopology, 'manager'>, publisher: Pick<Publisher, 'publish'>) {
    this.#topology = topology;
    this.#atomic = new AtomicPublisher(publisher);
  }

  /** Throws `QueueError`. */
  async read({ queue, id, submitter }: FlowPlace): Promise<StoredState> {
    const subject = flowStateSubject(queue, id);
    const message = await lastMessage(this.#manager, queueStream(queue), subject, {
      owner: ownerOf(submitter),
      size: 'small',
    });
    if (message === undefined) {
      return { state: undefined, sequence: 0, expires: false };
    }
    const state = flowStateCodec.decode(message.header.get(flowStateCodec.header));
    return {
      state: state && withTimes(state, message.time.getTime()),
      sequence: message.seq,
      expires: doesExpire(message),
    };
  }

  /** The first place in the order of a key at or after a sequence; undefined for none. Throws `QueueError`. */
  async next({ queue, id, submitter }: FlowPlace, from: number): Promise<StoredMsg | undefined> {
    const filter = flowEntryFilter(queue, id);
    return await nextOfLeader(this.#manager, queueStream(queue), filter, from, {
      owner: ownerOf(submitter),
      size: 'small',
    });
  }

  /** The message of the call at a place, if it waits there; undefined if it is elsewhere, or gone. Throws `QueueError`. */
  async waitingAt({ queue, function: name }: FlowPlace, entry: StoredMsg): Promise<StoredMsg | undefined> {
    const call = parseFlowEntry(entry.subject);
    if (call === undefined) {
      return undefined;
    }
    const filter = callPattern({ queue, readiness: '*', function: name, call: addressOf(call) });
    const message = await lastMessage(this.#manager, queueStream(queue), filter, { owner: ownerOf(call.submitter) });
    // A call that waits again, as a replay, has another place, after its message.
    const waits = message !== undefined && readCallSubject(message.subject)?.lane.readiness === 'wait';
    return waits && message.seq < entry.seq ? message : undefined;
  }

  /**
   * Stores the state in place of the one that was read. `conflict`: it has changed. Never throws.
   * @param after sequence of the one that was read
   * @param ttlMs when the broker removes it, if no other replaces it; undefined for never
   */
  write(place: FlowPlace, state: FlowState, after: number, ttlMs?: number): Promise<PublishResult> {
    return this.store(place.queue, [toStateMessage(place, state, after, ttlMs)]);
  }

  /** Makes a call ready, or stores its schedule. `conflict`: it does not wait any more. Never throws. */
  begin({ queue }: FlowPlace, turn: TimedTurn): Promise<PublishResult> {
    return this.store(queue, [toTurn(turn)]);
  }

  /**
   * Makes a call ready that has never waited. `conflict`: the state is not the one that gives it the turn. Never throws.
   * @param under sequence of that state
   * @param isAlone whether that state says no more than that, and what the call has named
   */
  beginAtOnce(place: FlowPlace, call: Call, under: number, isAlone: boolean): Promise<PublishResult> {
    return this.store(place.queue, [toImmediateTurn(place, call, under, isAlone)]);
  }

  /** Those of some calls that have no message in the queue, wherever. Throws `QueueError`. */
  async findGone({ queue, submitter }: FlowPlace, running: FlowState['running']): Promise<FlowState['running']> {
    const gone: FlowState['running'] = [];
    const owner = ownerOf(submitter);
    for (const [callId, startTime] of running) {
      const filter = callFilter(queue, { callId, owner, startTime });
      if (!(await hasMessage(this.#manager, queueStream(queue), filter, { owner }))) {
        gone.push([callId, startTime]);
      }
    }
    return gone;
  }

  /** Whether the newest message of a call was stored after a sequence. Throws `QueueError`. */
  async hasBegun({ queue, function: name, submitter }: FlowPlace, call: CallIdentity, after: number): Promise<boolean> {
    const filter = callPattern({ queue, readiness: '*', function: name, call: addressOf(call) });
    const message = await lastMessage(this.#manager, queueStream(queue), filter, { owner: ownerOf(submitter) });
    return message !== undefined && message.seq > after;
  }

  /** Stores messages of a queue, all or none. Never throws. */
  store(queue: string, group: readonly Outgoing[]): Promise<PublishResult> {
    return retryWhileUndecided(() => this.#atomic.publish(queueStream(queue), group));
  }

  /**
   * Removes a place, and before it the copy of its call that waited there: it may be left although the call has had its turn,
   * or is gone. A copy that was stored later has a place of its own, and stays. Throws `QueueError`.
   */
  async clear({ queue, function: name }: FlowPlace, { subject, seq }: StoredMsg): Promise<void> {
    const call = parseFlowEntry(subject);
    if (call !== undefined) {
      await this.#purge(queue, callSubject({ queue, readiness: 'wait', function: name, ...call }), seq);
    }
    await this.#purge(queue, subject, seq);
  }

  /**
   * Removes the place of a call that has left its queue, so that it does not count as waiting. A call that waits again, as a
   * replay, keeps the one that it has now. Throws `QueueError`.
   */
  async removePlace(place: FlowPlace, call: CallIdentity): Promise<void> {
    const { queue, id, submitter } = place;
    const subject = flowEntrySubject(queue, id, call);
    const entry = await lastMessage(this.#manager, queueStream(queue), subject, {
      owner: ownerOf(submitter),
      size: 'small',
    });
    if (entry !== undefined && (await this.waitingAt(place, entry)) === undefined) {
      await this.clear(place, entry);
    }
  }

  /**
   * Removes the notices of a key up to a sequence. One at a time: if a request removes several messages, nats-server counts anew what is
   * left for each consumer of the stream, and looks at all ready calls for that. Throws `QueueError`.
   * @param count how many there are, as far as is known
   */
  async removeNotices({ queue, id }: FlowPlace, upTo: number, count: number): Promise<void> {
    const subject = flowNoticeSubject(queue, id);
    if (count > 1) {
      const range = { from: 1, most: count, size: 'small' } as const;
      for (const { seq } of await readBatch(this.#manager, queueStream(queue), subject, range)) {
        if (seq >= upTo) {
          break;
        }
        await this.#purge(queue, subject, seq);
      }
    }
    await this.#purge(queue, subject, upTo);
  }

  async #purge(queue: string, filter: string, upTo: number): Promise<number> {
    try {
      const purge = () => this.#manager.streams.purge(queueStream(queue), { filter, seq: upTo + 1 });
      return (await inTurn(this.#manager, purge, { size: 'small' })).purged;
    } catch (error) {
      throw asQueueError(error, 'what is stored about a flow key cannot be removed');
    }
  }

  get #manager(): JetStreamManager {
    return this.#topology.manager;
  }
}
