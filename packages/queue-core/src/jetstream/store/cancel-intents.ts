import type { MsgRequest, StoredMsg } from '@nats-io/jetstream';
import type { AttemptRecord } from '../../attempts/index.ts';
import { type Call, type CallAddress, emptyBody, keyOf } from '../../call/index.ts';
import { chainFields } from '../../chain/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import {
  anyCancelIntentSubject,
  cancelIntentSubject,
  type Outcome,
  outcomeCodec,
  type RunningReport,
} from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { cancelStream, type QueueTopology } from '../layout/index.ts';
import { lastMessage, MessageHeaders } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** Says that a call is being cancelled, with the outcome that it will have. */
export interface CancelIntent {
  readonly outcome: Outcome;
  /** Sequence of the call's message in its queue when the cancel began; 0 if unknown. */
  readonly callSequence: number;
  readonly sequence: number;
  /** When it was stored: Unix time in milliseconds. */
  readonly storedAtMs: number;
}

interface Cancelling {
  readonly now: number;
  /** The report of the worker that ran the call. */
  readonly held: RunningReport | undefined;
  readonly maxRetries: number;
}

const callSequenceHeader = 'Asyncfn-Call-Sequence';

/**
 * Stores a cancel intent before a call is removed from its queue. Between that and its outcome the call is nowhere
 * else: after a crash, the intent shows that it exists, and its outcome is recorded from it (P2).
 */
export class CancelIntents {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /**
   * Never throws.
   * @param callSequence of the message that is about to be removed from the queue
   */
  store(outcome: Outcome, callSequence: number): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(callSequenceHeader, String(callSequence));
    result.set(outcomeCodec.header, outcomeCodec.encode(outcome));
    const subject = cancelIntentSubject(outcome);
    return this.#publisher.publish({ subject, headers: result, body: emptyBody });
  }

  /** Removes a stored intent. If this fails, the next sweep finds it. */
  async drop(stored: PublishResult | CancelIntent): Promise<void> {
    if ('kind' in stored && stored.kind === 'refused') {
      return;
    }
    await this.#topology.manager.streams.deleteMessage(cancelStream, stored.sequence, false).catch(() => false);
  }

  /** The cancel intent of a call; undefined if none is stored. Throws `QueueError`. */
  async find(address: CallAddress): Promise<CancelIntent | undefined> {
    const subject = anyCancelIntentSubject(address);
    const message = await lastMessage(this.#topology.manager, cancelStream, subject, {
      owner: address.owner,
      size: 'small',
    });
    return message && toIntent(message);
  }

  /** The oldest intents, `limit` at most. Throws `QueueError`. */
  async list(limit: number): Promise<CancelIntent[]> {
    const found: CancelIntent[] = [];
    for (let sequence = 1; found.length < limit; ) {
      const message = await this.#next(sequence);
      if (message === null) {
        break;
      }
      sequence = message.seq + 1;
      const intent = toIntent(message);
      if (intent !== undefined) {
        found.push(intent);
      }
    }
    return found;
  }

  /** From the leader: another replica may still show an intent whose call has ended and is forgotten. */
  async #next(sequence: number): Promise<StoredMsg | null> {
    // The client's type leaves `next_by_subj` to direct reads; the server takes it here as well.
    const query = { seq: sequence, next_by_subj: 'cancels.>' } as MsgRequest;
    try {
      return await this.#topology.manager.streams.getMessage(cancelStream, query);
    } catch (error) {
      if (isApiError(error, 'noMessageFound')) {
        return null;
      }
      throw asQueueError(error, 'what is being cancelled cannot be read');
    }
  }
}

function toIntent({ header, seq, time }: StoredMsg): CancelIntent | undefined {
  const outcome = outcomeCodec.decode(header.get(outcomeCodec.header));
  const callSequence = Number(header.get(callSequenceHeader));
  return outcome && { outcome, callSequence, sequence: seq, storedAtMs: time.getTime() };
}

/** The outcome of a cancelled call. */
export function toCancelled(call: Call, { now, held, maxRetries }: Cancelling): Outcome {
  const startedAt = held?.startedAt ?? call.startedAt;
  const history = held?.history === undefined ? call.history : cutShort(held.history, now);
  return {
    v: 1,
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    status: 'cancelled',
    attempts: held === undefined ? call.retry : held.retry + 1,
    maxRetries: call.maxRetries ?? maxRetries,
    ...(startedAt !== undefined && { startedAt }),
    ...(history !== undefined && { history }),
    endedAt: now,
    headers: [],
    ...(call.callbackUrl !== undefined && { callbackUrl: call.callbackUrl }),
    ...(call.labels !== undefined && { labels: call.labels }),
    ...(call.flow !== undefined && { flowKey: call.flow.key }),
    ...(call.parentId !== undefined && { parentId: call.parentId }),
    ...(call.batch !== undefined && { batch: call.batch }),
    ...chainFields(call),
  };
}

/** The attempt that ran until then is cancelled as well. */
function cutShort(history: readonly AttemptRecord[], now: number): AttemptRecord[] {
  return history.map((each) =>
    each.verdict === 'running'
      ? { ...each, durationMs: Math.max(0, Math.round(now - each.startedAt)), verdict: 'cancelled' }
      : each,
  );
}
