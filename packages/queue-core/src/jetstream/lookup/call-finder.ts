import type { StoredMsg } from '@nats-io/jetstream';
import {
  addressOf,
  type Call,
  type CallAddress,
  type CallSubject,
  callFilter,
  callHeader,
  decodeCall,
  emptyBody,
  identityOf,
  isSameCall,
  parseCallSubject,
  phaseUntilDue,
  queueStream,
} from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { type ActiveCall, type CallState, deadLetterFilter, type EndedCall } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import type { Handovers } from '../consume/index.ts';
import { toStoredDeadLetter } from '../dead-letters/index.ts';
import { isApiError } from '../error-codes.ts';
import {
  deadLetterStream,
  isFresh,
  type LaneProgress,
  laneProgress,
  type QueueTopology,
  wasDelivered,
} from '../layout/index.ts';
import { lastMessage, scheduledAt } from '../messages/index.ts';
import type { RateWatch } from '../rates/index.ts';
import type { RunningCallClient, Silence, StoredAttempt } from '../running-calls/index.ts';
import type { CallStore, CancelIntents, RecordedEnd } from '../store/index.ts';
import { listOwners } from './call-owners.ts';
import { toLostOutcome } from './lost-outcome.ts';

interface CallFinderDependencies {
  readonly broker: Pick<Broker, 'connected'>;
  readonly topology: Pick<QueueTopology, 'ready' | 'manager' | 'listQueues'>;
  readonly calls: Pick<CallStore, 'findNewestOutcome' | 'findCallbackState' | 'recordOutcome'>;
  readonly intents: Pick<CancelIntents, 'find'>;
  readonly runningCalls: Pick<RunningCallClient, 'ask'>;
  readonly handovers: Pick<Handovers, 'lastAt'>;
  /** How long after its end a call is known, in milliseconds; 0 is as long as its record is kept. */
  readonly resultTtlMs: number;
  /** Default: no function has a rate. */
  readonly rates?: Pick<RateWatch, 'isExhausted'>;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** The newest message of a call in its queue. */
export interface QueuedCall {
  readonly call: Call;
  readonly subject: CallSubject;
  readonly sequence: number;
  /** By the broker's clock: Unix time in milliseconds. */
  readonly storedAtMs: number;
  readonly dueAt: number | undefined;
}

/** How long the list of queues is reused. A call that is not found is looked for in a fresh list. */
const queuesKnownMs = 2_000;
/** A call that changes state faster than we can look is reported in its last seen state. */
const maxLooks = 5;

/**
 * Finds the state of a call. It reads the queue first and the outcome second: an outcome is stored before its call
 * leaves the queue, and a retry before its attempt does, so a call that is active or has ended is in one of the two. It
 * asks the leader of each stream, since followers may be behind.
 */
export class CallFinder {
  readonly #deps: CallFinderDependencies;
  readonly #now: () => number;
  #queues: { readonly names: Promise<string[]>; readonly at: number } | undefined;

  constructor(deps: CallFinderDependencies) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** False while the broker is known to be away. */
  get available(): boolean {
    return this.#deps.broker.connected && this.#deps.topology.ready;
  }

  /**
   * The active call of several, or else the newest; undefined if none is known. Bodies of calls and results are
   * omitted, since waiting clients keep the result in memory. Throws `QueueError`.
   */
  async find(address: CallAddress): Promise<CallState | undefined> {
    const found =
      (await this.#look(address, 0)) ??
      (await this.#lookAgain(address)) ??
      (await this.#findCancelling(address)) ??
      (await this.#findLost(address));
    const isHidden = found?.kind === 'ended' && (found.outcome.erased === true || (await this.#isForgotten(found)));
    return isHidden ? undefined : found?.kind === 'active' ? await this.explain(found) : found;
  }

  /** The call with what it waits for, if it is queued. Throws `QueueError`. */
  async explain(active: ActiveCall): Promise<ActiveCall> {
    const isPlain = active.phase === 'queued' && active.waitingFor === undefined;
    return isPlain && (await this.#deps.rates?.isExhausted(active.call.function))
      ? { ...active, waitingFor: 'rate' }
      : active;
  }

  /** The newest message of the call, or of several, in whatever queue. Throws `QueueError`. */
  async findQueued(address: CallAddress): Promise<QueuedCall | undefined> {
    const newest = await this.#findMessage(address);
    return newest && toQueuedCall(newest);
  }

  /** Like `findQueued`, without the body: a lookup that waits for further answers must not hold the message. */
  async #findHead(address: CallAddress): Promise<QueuedCall | undefined> {
    const newest = await this.#findMessage(address);
    return newest && toQueuedCall(newest, emptyBody);
  }

  async #findMessage(address: CallAddress): Promise<StoredMsg | undefined> {
    const queues = await this.#listQueues();
    const messages = await Promise.all(queues.map((queue) => this.#lastIn(queue, address)));
    const [newest] = messages
      .filter((message) => message !== undefined)
      .toSorted((a, b) => b.time.getTime() - a.time.getTime());
    return newest;
  }

  /** The owners of calls of this id, that of the newest call first. Throws `QueueError`. */
  async listOwners(callId: string): Promise<CallAddress[]> {
    return listOwners(this.#deps.topology.manager, await this.#listQueues(), callId);
  }

  /** It may be in a new queue, or have been replayed between the two looks. */
  #lookAgain(address: CallAddress): Promise<CallState | undefined> {
    this.#queues = undefined;
    return this.#look(address, 0);
  }

  async #look(address: CallAddress, looks: number): Promise<CallState | undefined> {
    const queued = await this.#findHead(address);
    // The outcome of the call that was found: other calls of its id may have ended since.
    const which = queued === undefined ? address : addressOf(identityOf(queued.call));
    const ended = await this.#deps.calls.findNewestOutcome(which);
    if (queued === undefined || (ended !== undefined && isOf(ended, queued.call))) {
      return ended && toEndedCall(this.#deps.calls, ended);
    }
    return this.#toActive(queued, looks);
  }

  async #toActive(queued: QueuedCall, looks: number): Promise<CallState | undefined> {
    const { call, subject, dueAt } = queued;
    if (subject.readiness === 'later') {
      const phase = phaseUntilDue(call);
      return { kind: 'active', phase, call, ...(phase === 'queued' ? { waitingFor: 'rate' } : { dueAt }) };
    }
    if (subject.readiness !== 'ready') {
      return { kind: 'active', phase: 'queued', call, waitingFor: 'flow' };
    }
    const progress = await laneProgress(this.#deps.topology.manager, subject);
    return wasDelivered(progress, queued) === 'no'
      ? { kind: 'active', phase: 'queued', call }
      : this.#toHandedOut(queued, progress, looks);
  }

  /** A call that a worker has taken, or may have. */
  async #toHandedOut(queued: QueuedCall, progress: LaneProgress, looks: number): Promise<CallState | undefined> {
    const { call } = queued;
    const mayLook = looks < maxLooks;
    const answer = await this.#deps.runningCalls.ask(attemptOf(queued), { orLeft: mayLook });
    if (answer.kind === 'running') {
      return { kind: 'active', phase: 'running', call, held: answer.report };
    }
    if (mayLook && (answer.kind === 'left' || (await this.#hasMoved(queued)))) {
      return this.#look(addressOf(identityOf(call)), looks + 1);
    }
    const silence = answer.kind === 'silent' ? answer : nothingSaid;
    return (await this.#mayBeLeased(queued, progress, silence))
      ? { kind: 'active', phase: 'running', call, held: silence.last, isSilent: true }
      : { kind: 'active', phase: 'queued', call };
  }

  /**
   * No worker answers for the call. Its worker may be dead, slow, or cut off from the broker for a moment: until its
   * lease is known to have ended, the call counts as running.
   */
  async #mayBeLeased(queued: QueuedCall, progress: LaneProgress, { last, forMs }: Silence): Promise<boolean> {
    const isUnknown = wasDelivered(progress, queued) === 'unknown';
    if (forMs > progress.leaseMs || (isUnknown && last === undefined)) {
      return false;
    }
    // A broker that has just started does not know when it delivered last, and has delivered nothing since.
    const { deliveredAtMs = 0 } = progress;
    const handedBackAtMs = await this.#deps.handovers.lastAt(identityOf(queued.call));
    // If other calls of its function were delivered since, only a worker's answer proves that this one was.
    return handedBackAtMs === undefined || (last !== undefined && handedBackAtMs < deliveredAtMs);
  }

  async #hasMoved({ call, sequence }: QueuedCall): Promise<boolean> {
    const address = addressOf(identityOf(call));
    if ((await this.#findHead(address))?.sequence !== sequence) {
      return true;
    }
    const ended = await this.#deps.calls.findNewestOutcome(address);
    return ended !== undefined && isOf(ended, call);
  }

  /**
   * A call that was removed from its queue to be cancelled and has no outcome yet. Its canceller may be dead, so the
   * outcome is recorded now.
   */
  async #findCancelling(address: CallAddress): Promise<CallState | undefined> {
    const seenAt = performance.now();
    const intent = await this.#deps.intents.find(address);
    if (intent === undefined) {
      return undefined;
    }
    if (isFresh(seenAt)) {
      await this.#deps.calls.recordOutcome(intent.outcome, emptyBody);
    }
    return this.#look(addressOf(intent.outcome), maxLooks);
  }

  /** A call that could not be read, or whose outcome could not be recorded, has still left a dead letter. */
  async #findLost(address: CallAddress): Promise<EndedCall | undefined> {
    const subject = deadLetterFilter({ kind: 'call', call: address });
    const message = await lastMessage(this.#deps.topology.manager, deadLetterStream, subject, { owner: address.owner });
    const stored = message && toStoredDeadLetter(message);
    return stored && { kind: 'ended', outcome: toLostOutcome(stored), callback: undefined };
  }

  /** By the broker's clock if known: the clock of the worker that ended the call may be wrong. */
  async #isForgotten({ outcome, callback, storedAt = outcome.endedAt }: EndedCall): Promise<boolean> {
    const { resultTtlMs } = this.#deps;
    const isOld = resultTtlMs > 0 && storedAt + resultTtlMs < this.#now();
    // An outcome exists as long as its call.
    return isOld && callback?.status !== 'pending' && (await this.#findMessage(addressOf(outcome))) === undefined;
  }

  async #lastIn(queue: string, address: CallAddress): Promise<StoredMsg | undefined> {
    try {
      const { manager } = this.#deps.topology;
      return await lastMessage(manager, queueStream(queue), callFilter(queue, address), { owner: address.owner });
    } catch (error) {
      const cause = error instanceof QueueError ? error.cause : undefined;
      if (isApiError(cause, 'streamNotFound')) {
        return undefined;
      }
      throw error;
    }
  }

  #listQueues(): Promise<string[]> {
    const now = this.#now();
    if (this.#queues === undefined || this.#queues.at + queuesKnownMs < now) {
      const names = this.#deps.topology.listQueues();
      this.#queues = { names, at: now };
      names.catch(() => {
        this.#queues = undefined;
      });
    }
    return this.#queues.names;
  }
}

/** The state of a call whose end is on record, with that of its callback. Throws `QueueError`. */
export async function toEndedCall(
  calls: Pick<CallStore, 'findCallbackState'>,
  { outcome, ...place }: RecordedEnd,
): Promise<EndedCall> {
  const callback = outcome.callbackUrl === undefined ? undefined : await calls.findCallbackState(outcome);
  return { kind: 'ended', outcome, callback, ...place };
}

const nothingSaid: Silence = { last: undefined, forMs: 0 };

/** An attempt, as workers are asked about it. */
export function attemptOf({ call, sequence }: QueuedCall): StoredAttempt {
  return { call: identityOf(call), generation: call.generation ?? 0, retry: call.retry, sequence };
}

/** The outcome of an earlier generation does not count for a replay. */
function isOf({ outcome }: RecordedEnd, call: Call): boolean {
  return outcome.generation === (call.generation ?? 0) && isSameCall(outcome, identityOf(call));
}

/**
 * Undefined for a message that is not a call.
 * @param body Default: that of the message, which is decoded for it
 */
export function toQueuedCall(message: StoredMsg, body: Uint8Array = message.data): QueuedCall | undefined {
  const subject = parseCallSubject(message.subject);
  if (subject === undefined) {
    return undefined;
  }
  const decoded = decodeCall(message.header.get(callHeader), body);
  const call = decoded.kind === 'call' ? decoded.call : unreadable(subject, body);
  const { seq: sequence, time, header } = message;
  return { call, subject, sequence, storedAtMs: time.getTime(), dueAt: scheduledAt(header) };
}

/** The facts that a message shows even if it cannot be decoded. A worker will store it as a dead letter. */
function unreadable(subject: CallSubject, body: Uint8Array): Call {
  const { callId: id, submitter, startTime, function: name, queue } = subject;
  const owned = submitter === undefined ? {} : { submitter };
  return { id, ...owned, startTime, function: name, queue, path: '', query: '', headers: [], retry: 0, body };
}
