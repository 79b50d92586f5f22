import type { Rate } from '@asyncfn/units';
import type { StoredMsg } from '@nats-io/jetstream';
import { type CallIdentity, callHeader, decodeCall } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import {
  emptyState,
  type FlowControl,
  type FlowLimits,
  type FlowPlace,
  type FlowState,
  flowStateCodec,
  isAtRest,
  isSameState,
  limitOf,
  nextTurnAt,
  rateOf,
  roomIn,
  withControl,
  withoutCalls,
  withoutOldEnds,
  withTurns,
} from '../../flows/index.ts';
import type { FunctionConfig } from '../../functions/index.ts';
import { type PublishResult, refused } from '../../publish-result.ts';
import type { QueueTopology } from '../layout/index.ts';
import { namedBy, type TimedTurn, toUnreadableTurn, type WaitingCall } from './flow-messages.ts';
import type { FlowStore, StoredState } from './flow-store.ts';

export interface TurnGiverDependencies {
  readonly store: FlowStore;
  readonly topology: Pick<QueueTopology, 'hasLane' | 'ensureFunction'>;
  readonly lookup: (name: string) => Pick<FunctionConfig, 'concurrency' | 'flow'> | undefined;
  /** The earliest that it can be at the broker: Unix time in milliseconds. */
  readonly earliest: () => number;
}

/** What has happened to a key. */
export interface FlowChange {
  /** Calls that have ended, or are gone. Default: none. */
  readonly ended?: readonly Pick<CallIdentity, 'callId' | 'startTime'>[];
  /** What the latest call has named. Default: nothing new. */
  readonly named?: FlowLimits;
  /** What an operator has said. Default: nothing. */
  readonly control?: FlowControl;
}

/** Every turn of the key that could be given is given, and what `FlowChange` says is stored; or the broker has refused. */
export type GiveResult = { readonly kind: 'done' } | Extract<PublishResult, { kind: 'refused' }>;

const done: GiveResult = { kind: 'done' };

/** Other processes change the same key at the same time: each time that one fails, another one has succeeded. */
const maxTries = 100;
/** Most turns that are given in one batch, and most bytes of their bodies; one call may be larger. */
const maxTurns = 100;
const maxBytes = 4 * 1024 * 1024;
/**
 * Most bytes of a state, before the last call that it takes: it is one header, and nats-server takes 64 KiB of headers. So calls
 * with long ids of their own run in smaller numbers than `parallelism` says.
 */
const maxStateBytes = 64_000;
/** How much longer than a period the state of a key at rest is kept. */
const ttlSpareMs = 2_000;

/** What is to be stored next. */
interface Plan {
  readonly read: StoredState;
  readonly state: FlowState;
  readonly turns: readonly TimedTurn[];
  readonly limits: Limits;
}

/** What holds for the key. */
interface Limits {
  /** How many of its calls may run at once. */
  readonly parallelism: number;
  readonly rate: Rate | undefined;
}

/**
 * Gives the calls of a key their turns. Any process may do so at any time: the broker stores turns and the new state only if
 * the state is the one that was read, and each call still waits (see docs/adr/0062). A process that leaves a turn free looks once more for calls
 * that wait, because one may have come after its first look and have found no turn free.
 */
export class TurnGiver {
  readonly #deps: TurnGiverDependencies;
  /** By queue and key: the changes of a key by this process follow one another. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(deps: TurnGiverDependencies) {
    this.#deps = deps;
  }

  /** May be repeated. Throws `QueueError` if the broker does not answer. */
  async give(place: FlowPlace, change: FlowChange = {}): Promise<GiveResult> {
    const name = `${place.queue}/${place.id}`;
    const before = this.#underWay.get(name) ?? Promise.resolve();
    const giving = before.then(() => this.#giveAll(place, change));
    const settled = giving.then(
      () => {},
      () => {},
    );
    this.#underWay.set(name, settled);
    try {
      return await giving;
    } finally {
      if (this.#underWay.get(name) === settled) {
        this.#underWay.delete(name);
      }
    }
  }

  async #giveAll(place: FlowPlace, change: FlowChange): Promise<GiveResult> {
    for (let tries = 0; tries < maxTries; tries++) {
      const plan = await this.#plan(place, change);
      const result = await this.#store(place, plan);
      const isOver = result.kind === 'stored' ? !(await this.#mayGiveMore(place, plan)) : !isConflict(result);
      if (isOver) {
        return result.kind === 'stored' ? done : result;
      }
    }
    const detail = 'the flow key changes faster than its turns can be given';
    return { kind: 'refused', reason: 'overloaded', detail };
  }

  async #plan(place: FlowPlace, { ended = [], named = {}, control = {} }: FlowChange): Promise<Plan> {
    const { store, earliest } = this.#deps;
    // In parallel: if either answer is out of date, the broker refuses the batch.
    const [read, head] = await Promise.all([store.read(place), store.next(place, 1)]);
    const before = withControl(withoutCalls(read.state ?? emptyState(place), ended), control);
    const first = await this.#firstWaiting(place, before, head);
    // Only a key without a state does not know what its calls have named.
    const known = { ...(first && namedBy(first.call)), ...limitsIn(before), ...named };
    const limits = this.#limitsOf(place.function, before, known);
    const state = withoutOldEnds({ ...before, ...known }, limits.rate, earliest());
    return { read, limits, ...(await this.#takeTurns(place, state, limits, first ?? head)) };
  }

  /** The call at the first place. Undefined if it does not wait any more, or others have their turn. */
  async #firstWaiting(
    place: FlowPlace,
    { running, paused, cursor }: FlowState,
    head: StoredMsg | undefined,
  ): Promise<WaitingCall | undefined> {
    const isAsked = head !== undefined && paused !== true && running.length === 0;
    return isAsked ? await this.#asWaiting(place, cursor, head) : undefined;
  }

  #limitsOf(name: string, state: FlowState, named: FlowLimits): Limits {
    const settings = this.#deps.lookup(name)?.flow;
    return {
      parallelism: limitOf(state, settings?.parallelism, named.parallelism),
      rate: rateOf(state, settings?.rate, named.rate),
    };
  }

  /** The calls that get their turn, and the state with them. */
  async #takeTurns(
    place: FlowPlace,
    before: FlowState,
    limits: Limits,
    from: WaitingCall | StoredMsg | undefined,
  ): Promise<Pick<Plan, 'turns' | 'state'>> {
    const { store, earliest } = this.#deps;
    const turns: TimedTurn[] = [];
    let state = before;
    let bytes = 0;
    let stateBytes = flowStateCodec.encode(before).length;
    const mayGo = (): boolean =>
      bytes < maxBytes && stateBytes < maxStateBytes && turns.length < maxTurns && hasRoom(state, limits);
    for (let next = from; next !== undefined && mayGo(); ) {
      const waiting = 'entry' in next ? next : await this.#asWaiting(place, before.cursor, next);
      if (waiting !== undefined) {
        const at = nextTurnAt(state, limits.rate);
        turns.push({ ...waiting, dueAt: at > earliest() ? at : undefined });
        state = withTurns(state, [{ call: waiting.call, sequence: waiting.entry.seq }]);
        bytes += waiting.call.body.length;
        stateBytes += JSON.stringify(state.running.at(-1)).length + 1;
      }
      const { seq } = 'entry' in next ? next.entry : next;
      next = mayGo() ? await store.next(place, seq + 1) : undefined;
    }
    return { turns, state };
  }

  /**
   * The call at a place. Undefined if it does not wait any more: it was cancelled, has expired, or has had its turn, which is
   * so up to the cursor. Then what is left is removed. A call that cannot be read becomes ready without a turn.
   */
  async #asWaiting(place: FlowPlace, cursor: number, entry: StoredMsg): Promise<WaitingCall | undefined> {
    const { store } = this.#deps;
    const message = await store.waitingAt(place, entry);
    const isLeftOver = message === undefined || entry.seq <= cursor;
    const decoded = isLeftOver ? undefined : decodeCall(message.header.get(callHeader), message.data);
    if (message !== undefined && decoded?.kind === 'call') {
      return { call: decoded.call, message, entry };
    }
    if (message !== undefined && decoded !== undefined) {
      throwUnlessStored(await store.store(place.queue, [toUnreadableTurn(message)]));
    }
    await store.clear(place, entry);
    return undefined;
  }

  /** `done` if nothing has to be stored, and nothing follows. */
  async #store(place: FlowPlace, { read, state, turns, limits }: Plan): Promise<PublishResult | GiveResult> {
    const { store } = this.#deps;
    if (turns.length > 0) {
      await this.#openLane(place);
      const result = await store.giveTurns(place, turns, state, read.sequence);
      if (result.kind === 'stored') {
        await this.#afterTurns(place, turns);
      }
      return result;
    }
    if (isAtRest(state)) {
      return read.sequence === 0 ? done : await this.#rest(place, state, read, limits.rate);
    }
    return read.state !== undefined && isSameState(read.state, state)
      ? done
      : await store.giveTurns(place, [], state, read.sequence);
  }

  /**
   * Removes the state of a key at rest, or has the broker remove it once its ends count no more. With it the cursor is gone, so
   * nothing may be left that is at or before it: those that wait may have been read before the state.
   */
  async #rest(
    place: FlowPlace,
    state: FlowState,
    read: StoredState,
    rate: Rate | undefined,
  ): Promise<PublishResult | GiveResult> {
    const { store } = this.#deps;
    const message = await store.next(place, 1);
    const waiting = message && (await this.#asWaiting(place, state.cursor, message));
    if (waiting !== undefined && state.justEnded !== undefined) {
      // The next look knows when the last call has ended, and so when this one may begin.
      return await store.giveTurns(place, [], state, read.sequence);
    }
    if (message !== undefined) {
      return refused('conflict', 'calls of the key have come');
    }
    if (rate !== undefined && (state.ended ?? state.justEnded) !== undefined) {
      const isStored = read.state !== undefined && isSameState(read.state, state);
      return isStored ? done : await store.rest(place, state, read.sequence, rate.periodMs + ttlSpareMs);
    }
    return (await store.drop(place, read.sequence))
      ? { kind: 'stored', sequence: read.sequence, duplicate: false }
      : refused('conflict', 'the state of the key has changed');
  }

  async #afterTurns(place: FlowPlace, turns: readonly WaitingCall[]): Promise<void> {
    await this.#openLane(place); // it may have been removed because it was empty; now it is not (P2)
    for (const { entry } of turns) {
      await this.#deps.store.clear(place, entry);
    }
  }

  /** Without a consumer no worker would receive the call (P2). */
  async #openLane({ queue, function: name }: FlowPlace): Promise<void> {
    const { topology, lookup } = this.#deps;
    if (!topology.hasLane(queue, name)) {
      await topology.ensureFunction({ name, queue, concurrency: lookup(name)?.concurrency });
    }
  }

  /** A call may have come since those that wait were read. */
  async #mayGiveMore(place: FlowPlace, { state, limits }: Plan): Promise<boolean> {
    const { justEnded, ...timed } = state;
    // The time of calls that have just ended is known at the next look.
    if (!hasRoom(justEnded === undefined ? state : timed, limits)) {
      return false;
    }
    return (await this.#deps.store.next(place, 1)) !== undefined;
  }
}

/** Whether one more call may get its turn, now or at a moment that is known. */
function hasRoom(state: FlowState, { parallelism, rate }: Limits): boolean {
  return roomIn(state, parallelism) > 0 && nextTurnAt(state, rate) < Number.POSITIVE_INFINITY;
}

/** What the state says that calls have named. */
function limitsIn({ parallelism, rate }: FlowState): FlowLimits {
  return { ...(parallelism !== undefined && { parallelism }), ...(rate !== undefined && { rate }) };
}

/** A conflict says that it was stored before. */
function throwUnlessStored(result: PublishResult): void {
  if (result.kind === 'refused' && result.reason !== 'conflict') {
    throw new QueueError('broker', `a call that cannot be read could not be stored as ready: ${result.detail}`);
  }
}

function isConflict(result: GiveResult): boolean {
  return result.kind === 'refused' && result.reason === 'conflict';
}
