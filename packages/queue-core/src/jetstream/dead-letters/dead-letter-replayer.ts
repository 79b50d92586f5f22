import { setTimeout as delay } from 'node:timers/promises';
import {
  type BodyObject,
  type Call,
  callFilter,
  callHeader,
  callSubject,
  decodeCall,
  encodeEnvelope,
  generationTokens,
  identityOf,
  isSameCall,
  keyOf,
  ownerOf,
  queueStream,
} from '../../call/index.ts';
import type { FunctionConfig } from '../../functions/index.ts';
import type { PublishResult, RefusalReason } from '../../publish-result.ts';
import { type CallbackTask, callbackSubject, callbackTaskCodec, type DeadLetter } from '../../records/index.ts';
import { retry } from '../../retry.ts';
import type { BodyStore } from '../bodies/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isMessageGone } from '../error-codes.ts';
import type { EventPublisher } from '../events/index.ts';
import { callbackStream, deadLetterStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';
import type { CallbackStore, CallStore } from '../store/index.ts';
import type { StoredDeadLetter } from './dead-letter-message.ts';

/** Why a dead letter was not replayed although the broker is healthy. It stays unless stated otherwise. */
export type ReplayRefusal =
  | 'dead_letter_not_found'
  /** Its function is not registered. */
  | 'unknown_function'
  /** Its content cannot be read, is incomplete, or is larger than the broker takes. */
  | 'not_replayable'
  /** It was replayed before, and that replay has ended: the dead letter is a left-over and is removed. */
  | 'already_replayed'
  /** A call or a callback of the same id is on its way. */
  | 'call_id_conflict';

/** A passing failure of the broker: nothing is lost, and the replay may be repeated. */
export type BrokerTrouble = Exclude<RefusalReason, 'conflict' | 'too_large'>;

export type ReplayResult =
  /** It is on its way again: the queue, or undefined for a callback. */
  | { readonly kind: 'replayed'; readonly queue: string | undefined }
  | { readonly kind: 'kept'; readonly refusal: ReplayRefusal }
  | { readonly kind: 'refused'; readonly reason: BrokerTrouble; readonly detail: string };

/** The function of this name as it is registered now; undefined if none is. */
export type LookupFunction = (name: string) => FunctionConfig | undefined;

export interface ReplayerDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'ensureFunction' | 'forgetQueue' | 'listQueues'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly calls: Pick<CallStore, 'findOutcome' | 'findCallbackState'>;
  readonly callbacks: Pick<CallbackStore, 'store'>;
  /** Bodies that are stored apart. Default: no call has one. */
  readonly bodies?: Pick<BodyStore, 'has' | 'keep'>;
  /** Is told of the calls that are replayed. Default: nothing is. */
  readonly events?: Pick<EventPublisher, 'accepted'>;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** A worker stores a dead letter before it acknowledges its message: the replay waits a second for that. */
const settlingWaits: readonly number[] = Array.from({ length: 20 }, () => 50);

/** A message of the same id exists, or is being stored. */
const inTheWay: ReadonlySet<RefusalReason> = new Set(['conflict', 'undecided']);

/**
 * Replays one dead letter. It stores the call or callback first and then removes the dead letter, so that a crash in
 * between loses nothing (P2); the stored message keeps a second replay from storing it twice.
 */
export class DeadLetterReplayer {
  readonly #deps: ReplayerDependencies;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(deps: ReplayerDependencies) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#sleep = deps.sleep ?? delay;
  }

  /** Throws `QueueError` if the broker does not answer: it may have been replayed, and can be repeated. */
  async replay(stored: StoredDeadLetter, lookup: LookupFunction): Promise<ReplayResult> {
    if (stored.letter.omitted !== undefined) {
      return kept('not_replayable');
    }
    const result =
      stored.letter.kind === 'call' ? await this.#replayCall(stored, lookup) : await this.#replayCallback(stored);
    if (result.kind === 'replayed' || (result.kind === 'kept' && result.refusal === 'already_replayed')) {
      await this.#remove(stored);
    }
    return result;
  }

  async #replayCall(stored: StoredDeadLetter, lookup: LookupFunction): Promise<ReplayResult> {
    const { letter, original, body } = stored;
    const decoded = decodeCall(original, body);
    if (decoded.kind === 'undecodable' || !isSameCall(identityOf(decoded.call), letter)) {
      return kept('not_replayable');
    }
    const { call } = decoded;
    return this.#keepingBody(call.bodyObject, () => this.#replayReadable(letter, call, lookup));
  }

  async #replayReadable(letter: DeadLetter, original: Call, lookup: LookupFunction): Promise<ReplayResult> {
    const config = lookup(letter.function);
    if (config === undefined) {
      return kept('unknown_function');
    }
    const call = nextGeneration(original, config, letter.generation + 1);
    if ((await this.#deps.calls.findOutcome(keyOf(call))) !== undefined) {
      return kept('already_replayed');
    }
    if (letter.queue !== call.queue && (await this.#isWaitingIn(letter.queue, call))) {
      return { kind: 'replayed', queue: letter.queue };
    }
    // Without a consumer no worker would receive the call (P2), so the consumer comes first.
    await this.#deps.topology.ensureFunction(config);
    const result = await this.#storeOrWait(
      () => this.#store(call),
      () => this.#conflictOf(call),
    );
    if (result.kind === 'stored' && !result.duplicate) {
      this.#deps.events?.accepted(call);
    }
    return toResult(result, call.queue);
  }

  async #store(call: Call): Promise<PublishResult> {
    const result = await this.#deps.publisher.publish(toMessage(call));
    if (result.kind === 'refused' && result.reason === 'unavailable') {
      // The stream may have been deleted: the next replay ensures it.
      this.#deps.topology.forgetQueue(call.queue);
    }
    return result;
  }

  async #replayCallback(stored: StoredDeadLetter): Promise<ReplayResult> {
    const { letter, original, body } = stored;
    const task = callbackTaskCodec.decode(original);
    if (task === undefined || !isSameCall(task, letter) || task.generation !== letter.generation) {
      return kept('not_replayable');
    }
    if (await this.#isDelivered(task)) {
      return kept('already_replayed');
    }
    return this.#keepingBody(task.bodyObject, () => this.#storeCallback(task, body, stored.storedAtMs));
  }

  async #storeCallback(task: CallbackTask, body: Uint8Array, deadLetterAtMs: number): Promise<ReplayResult> {
    const fresh = { ...task, tries: 0 };
    const result = await this.#storeOrWait(
      () => this.#deps.callbacks.store(fresh, body, this.#now(), 0),
      () => this.#conflictOfCallback(task, deadLetterAtMs),
    );
    return toResult(result, undefined);
  }

  /** A body that is stored apart must be there, and stay. */
  async #keepingBody(object: BodyObject | undefined, replay: () => Promise<ReplayResult>): Promise<ReplayResult> {
    const { bodies } = this.#deps;
    if (object === undefined || bodies === undefined) {
      return replay();
    }
    if (!(await bodies.has(object))) {
      return kept('not_replayable');
    }
    const result = await replay();
    if (result.kind === 'replayed') {
      // A sweeper may have looked where it is now before it was there. The dead letter still is.
      await bodies.keep(object);
    }
    return result;
  }

  /** Stores the message; if one of the same id is in the way and about to be acked, waits for it a little. */
  async #storeOrWait(store: () => Promise<PublishResult>, conflict: () => Promise<Conflict>): Promise<PublishResult> {
    const attempt = async (): Promise<{ readonly result: PublishResult; readonly found?: Conflict }> => {
      const result = await store();
      const isInTheWay = result.kind === 'refused' && inTheWay.has(result.reason);
      return isInTheWay ? { result, found: await conflict() } : { result };
    };
    const { result, found } = await retry(attempt, {
      waits: settlingWaits,
      until: (last) => last.found !== 'going',
      sleep: this.#sleep,
    });
    // By another gateway, or by this one and the confirmation got lost.
    return found === 'replayed' ? { kind: 'stored', sequence: 0, duplicate: true } : result;
  }

  /** The message in the queue with the id of this call. */
  async #conflictOf(call: Call): Promise<Conflict> {
    const { queue, generation = 0 } = call;
    const message = await lastMessage(this.#deps.topology.manager, queueStream(queue), anyOfItsId(call));
    const decoded = message === undefined ? undefined : decodeCall(message.header.get(callHeader), message.data);
    if (decoded === undefined) {
      return 'going';
    }
    if (decoded.kind === 'undecodable' || decoded.call.startTime !== call.startTime) {
      return 'another';
    }
    return (decoded.call.generation ?? 0) >= generation ? 'replayed' : 'going';
  }

  async #conflictOfCallback(task: CallbackTask, deadLetterAtMs: number): Promise<Conflict> {
    const message = await lastMessage(this.#deps.topology.manager, callbackStream, callbackSubject('*', task));
    if (message === undefined) {
      return (await this.#isDelivered(task)) ? 'replayed' : 'going';
    }
    const tries = callbackTaskCodec.decode(message.header.get(callbackTaskCodec.header))?.tries;
    // A message from before the dead letter is about to be acked by its worker.
    return tries === 0 && message.time.getTime() > deadLetterAtMs ? 'replayed' : 'going';
  }

  async #isDelivered(task: CallbackTask): Promise<boolean> {
    return (await this.#deps.calls.findCallbackState(task))?.status === 'delivered';
  }

  /** The function may have moved between an unconfirmed replay and this one. */
  async #isWaitingIn(queue: string, call: Call): Promise<boolean> {
    const queues = await this.#deps.topology.listQueues();
    return queues.includes(queue) && (await this.#conflictOf({ ...call, queue })) === 'replayed';
  }

  /** By sequence: a newer one may have replaced it. */
  async #remove({ sequence }: StoredDeadLetter): Promise<void> {
    try {
      await this.#deps.topology.manager.streams.deleteMessage(deadLetterStream, sequence, false);
    } catch (error) {
      if (!isMessageGone(error)) {
        throw asQueueError(error, 'a dead letter that was replayed cannot be removed');
      }
    }
  }
}

/** The reason why a replay is not possible. */
type Conflict =
  /** The replay itself. */
  | 'replayed'
  /** The message that led to the dead letter, about to be acked; or none any more. */
  | 'going'
  /** A different call that a client gave the same id. */
  | 'another';

function kept(refusal: ReplayRefusal): ReplayResult {
  return { kind: 'kept', refusal };
}

/**
 * The call as it was accepted, with a fresh retry budget, in the current queue of its function. It neither waits nor
 * expires.
 */
function nextGeneration(call: Call, { name, queue }: FunctionConfig, generation: number): Call {
  const { startedAt: _, notBefore: __, expiresAt: ___, history: ____, ...accepted } = call;
  const { flow, ...rest } = accepted;
  return { ...rest, function: name, queue, retry: 0, generation, ...(flow && { flow: withoutTurn(flow) }) };
}

/** It joins the order of its key again, at the end. */
function withoutTurn(flow: NonNullable<Call['flow']>): NonNullable<Call['flow']> {
  const { hasTurn: _, aloneAt: __, ...rest } = flow;
  return rest;
}

function toMessage(call: Call) {
  const result = new MessageHeaders();
  result.set(callHeader, encodeEnvelope(call));
  result.set('Nats-Msg-Id', `${generationTokens(keyOf(call))}.replay`);
  expectLast(result, anyOfItsId(call), 0);
  const { queue, function: name } = call;
  const subject = callSubject({ queue, readiness: 'ready', function: name, ...identityOf(call) });
  return { subject, headers: result, body: call.body };
}

/** A later call of the same id and submitter is in the way as well: two of them must not exist at once. */
function anyOfItsId({ queue, id, submitter }: Call): string {
  return callFilter(queue, { callId: id, owner: ownerOf(submitter) });
}

function toResult(result: PublishResult, queue: string | undefined): ReplayResult {
  if (result.kind === 'stored') {
    return { kind: 'replayed', queue };
  }
  const { reason, detail } = result;
  if (reason === 'conflict') {
    return kept('call_id_conflict');
  }
  return reason === 'too_large' ? kept('not_replayable') : { kind: 'refused', reason, detail };
}
