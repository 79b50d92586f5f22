import type { StoredMsg } from '@nats-io/jetstream';
import { type CallIdentity, callHeader, decodeCall, identityOf } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import {
  emptyState,
  type FlowControl,
  type FlowLimits,
  type FlowPlace,
  type FlowState,
  flowStateCodec,
  hasRoom,
  isAtRest,
  isSameState,
  type KeyLimits,
  limitsOf,
  namedIn,
  nextTurnAt,
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
  /** Whether another process makes the change again if this one dies. Default: yes, unless an operator has said something. */
  readonly isRepeated?: boolean;
  /** It is stored only while the state has this sequence: `conflict` if that has changed. Default: whatever it has. */
  readonly under?: number;
}

/** Every turn of the key that could be given is given, and what `FlowChange` says is stored; or the broker has refused. */
export type GiveResult = { readonly kind: 'done' } | Extract<PublishResult, { kind: 'refused' }>;

export const done: GiveResult = { kind: 'done' };

/** Other processes change the same key at the same time: each time that one fails, another one has succeeded. */
const maxTries = 100;
/** Most turns that are given in one batch, and most bytes of their bodies; one call may be larger. */
const maxTurns = 100;
const maxBytes = 4 * 1024 * 1024;
/**
 * Most bytes of a state, before the last call that it takes: it is one header, and nats-server takes 64 KiB of headers. So calls
 * with long ids of their own run in smaller numbers than `parallelism` says.
 */
export const maxStateBytes = 64_000;
/** How long the state of a key at rest is kept, beyond the period of its rate. */
export const restMs = 2_000;

/** What is to be stored next. */
interface Plan {
  readonly read: StoredState;
  readonly state: FlowState;
  readonly turns: readonly TimedTurn[];
  readonly limits: KeyLimits;
  /** Whether calls were seen to wait for their turn, those of `turns` included. */
  readonly othersWait: boolean;
}

/**
 * Gives the calls of a key their turns. Any process may do so at any time: the broker stores the new state only if the state is
 * the one that was read, and then makes each call ready only while it waits (see docs/adr/0068). What a crash leaves in
 * between, the next process finishes. A process that leaves a turn free looks once more for calls that wait, because one may have
 * come after its first look and have found no turn free.
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
    const ended = [...(change.ended ?? [])];
    let { control, under, isRepeated = control === undefined } = change;
    for (let tries = 0; tries < maxTries; tries++) {
      const plan = await this.#plan(place, { ...change, ended, control: control ?? {} });
      if (under !== undefined && under !== plan.read.sequence) {
        return refused('conflict', 'the state of the flow key has changed');
      }
      const result = await this.#store(place, plan, isRepeated);
      if (isConflict(result)) {
        continue;
      }
      if (result.kind !== 'stored') {
        return result;
      }
      const gone = await this.#begin(place, plan, result.sequence);
      if (!Array.isArray(gone)) {
        return gone;
      }
      ended.push(...gone);
      if (gone.length === 0 && isRepeated && !(await this.#mayGiveMore(place, plan))) {
        return done;
      }
      control = undefined; // another operator may change the key from here on
      under = undefined;
      isRepeated = true;
    }
    return refused('overloaded', 'the flow key changes faster than its turns can be given');
  }

  async #plan(place: FlowPlace, { ended = [], named = {}, control = {} }: FlowChange): Promise<Plan> {
    const { store, earliest } = this.#deps;
    // In parallel: if either answer is out of date, the broker refuses the state.
    const [read, first] = await Promise.all([store.read(place), store.next(place, 1)]);
    const stored = read.state ?? emptyState(place);
    const open = withoutCalls(stored, ended);
    const head = await this.#finishTurns(place, open, first);
    const before = withControl(open, control);
    const waiting = await this.#firstWaiting(place, before, head);
    // Only a key without a state does not know what its calls have named.
    const known = { ...(waiting && namedBy(waiting.call)), ...namedIn(before), ...named };
    const limits = this.#limitsOf(place.function, before, known);
    const state = withoutOldEnds({ ...before, ...known }, limits.rate, earliest());
    const taken = await this.#takeTurns(place, state, limits, waiting ?? head);
    return { read, limits, othersWait: head !== undefined, ...taken };
  }

  /**
   * What is at or before the cursor has its turn. If it waits nevertheless, the process that gave the turn has died, or is about
   * to make the call ready: so this one does. Returns the first place after the cursor.
   */
  async #finishTurns(place: FlowPlace, state: FlowState, first: StoredMsg | undefined): Promise<StoredMsg | undefined> {
    const { store } = this.#deps;
    let entry = first;
    while (entry !== undefined && entry.seq <= state.cursor) {
      const { waiting } = await this.#lookAt(place, entry);
      if (waiting !== undefined) {
        await this.#finishTurn(place, state, waiting);
      }
      await store.clear(place, entry);
      entry = await store.next(place, entry.seq + 1);
    }
    return entry;
  }

  async #finishTurn(place: FlowPlace, state: FlowState, waiting: WaitingCall): Promise<void> {
    const { id, startTime } = waiting.call;
    const index = state.running.findIndex((each) => each[0] === id && each[1] === startTime);
    if (index < 0) {
      return; // it has ended
    }
    const { store, earliest } = this.#deps;
    const { rate } = this.#limitsOf(place.function, state, namedIn(state));
    const allowedAt = nextTurnAt({ ...state, running: state.running.slice(0, index) }, rate);
    // After the rate was lowered, no moment may be known: a period from now is surely late enough.
    const at = allowedAt === Number.POSITIVE_INFINITY ? earliest() + (rate?.periodMs ?? 0) : allowedAt;
    await this.#openLane(place);
    throwUnlessStored(await store.begin(place, { ...waiting, dueAt: at > earliest() ? at : undefined }));
    await this.#openLane(place);
  }

  /** The call at the first place. Undefined if it does not wait any more, or others have their turn. */
  async #firstWaiting(
    place: FlowPlace,
    { running, paused }: FlowState,
    head: StoredMsg | undefined,
  ): Promise<WaitingCall | undefined> {
    const isAsked = head !== undefined && paused !== true && running.length === 0;
    return isAsked ? await this.#asWaiting(place, head) : undefined;
  }

  #limitsOf(name: string, state: FlowState, named: FlowLimits): KeyLimits {
    return limitsOf(state, this.#deps.lookup(name)?.flow, named);
  }

  /** The calls that get their turn, and the state with them. */
  async #takeTurns(
    place: FlowPlace,
    before: FlowState,
    limits: KeyLimits,
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
      const waiting = 'entry' in next ? next : await this.#asWaiting(place, next);
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
   * The call at a place after the cursor. Undefined if it does not wait any more, because it was cancelled or has expired: then its
   * place is removed. A call that cannot be read becomes ready without a turn.
   */
  async #asWaiting(place: FlowPlace, entry: StoredMsg): Promise<WaitingCall | undefined> {
    const { store } = this.#deps;
    const { message, waiting } = await this.#lookAt(place, entry);
    if (waiting !== undefined) {
      return waiting;
    }
    if (message !== undefined) {
      await this.#openLane(place);
      throwUnlessStored(await store.store(place.queue, [toUnreadableTurn(message)]));
    }
    await store.clear(place, entry);
    return undefined;
  }

  /** What waits at a place: a message without a call that can be read, too. */
  async #lookAt(
    place: FlowPlace,
    entry: StoredMsg,
  ): Promise<{ readonly message?: StoredMsg | undefined; readonly waiting?: WaitingCall | undefined }> {
    const message = await this.#deps.store.waitingAt(place, entry);
    const decoded = message && decodeCall(message.header.get(callHeader), message.data);
    return {
      message,
      waiting: message && decoded?.kind === 'call' ? { call: decoded.call, message, entry } : undefined,
    };
  }

  /**
   * `done` if nothing has to be stored, and nothing follows. The broker removes the state of a key at rest after a time, but not while
   * calls wait: they would have no one to look for them.
   * @param isRepeated whether others repeat this if the process dies; if not, the state of a key at rest stays until those that wait
   *   have been looked for once more
   */
  async #store(place: FlowPlace, plan: Plan, isRepeated: boolean): Promise<PublishResult | GiveResult> {
    const { read, state, turns, limits, othersWait } = plan;
    const { store } = this.#deps;
    const rests = isAtRest(state) && !othersWait;
    const isStored = read.state !== undefined && isSameState(read.state, state) && (read.expires || !rests);
    if (isStored || (rests && read.sequence === 0)) {
      return done;
    }
    if (turns.length > 0) {
      await this.#openLane(place);
    }
    const countsMs = (state.ended ?? state.justEnded) === undefined ? 0 : (limits.rate?.periodMs ?? 0);
    return await store.write(place, state, read.sequence, rests && isRepeated ? countsMs + restMs : undefined);
  }

  /**
   * Makes calls ready whose turn is stored. Returns those that are gone: they were cancelled, or have had their turn under a state that
   * is forgotten.
   */
  async #begin(place: FlowPlace, { turns }: Plan, sequence: number): Promise<CallIdentity[] | GiveResult> {
    const { store } = this.#deps;
    const results = await Promise.all(turns.map((turn) => store.begin(place, turn)));
    const refusal = results.find((result) => result.kind === 'refused' && !isConflict(result));
    if (refusal?.kind === 'refused') {
      return refusal;
    }
    const gone: CallIdentity[] = [];
    for (const [index, { call }] of turns.entries()) {
      const isStored = results[index]?.kind === 'stored';
      if (!isStored && !(await store.hasBegun(place, identityOf(call), sequence))) {
        gone.push(identityOf(call));
      }
    }
    if (turns.length > 0) {
      await this.#afterTurns(place, turns);
    }
    return gone;
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

/** A conflict says that it was stored before. */
function throwUnlessStored(result: PublishResult): void {
  if (result.kind === 'refused' && !isConflict(result)) {
    throw new QueueError('broker', `a call could not be stored as ready: ${result.detail}`);
  }
}

/** Whether something else was stored in between. */
export function isConflict(result: PublishResult | GiveResult): boolean {
  return result.kind === 'refused' && result.reason === 'conflict';
}
