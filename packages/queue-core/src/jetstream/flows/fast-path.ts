import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Call, identityOf } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import {
  emptyState,
  type FlowPlace,
  type FlowState,
  flowPlaceOf,
  flowStateCodec,
  isOpenAt,
  limitsOf,
  namedIn,
  withoutOldEnds,
  withTurns,
} from '../../flows/index.ts';
import { type PublishResult, type RefusalReason, refused } from '../../publish-result.ts';
import { retry } from '../../retry.ts';
import type { QueueLogger } from '../connecting/index.ts';
import { namedBy } from './flow-messages.ts';
import type { FlowStore } from './flow-store.ts';
import {
  done,
  type GiveResult,
  isConflict,
  maxStateBytes,
  restMs,
  type TurnGiver,
  type TurnGiverDependencies,
} from './turn-giver.ts';
import type { TurnReleaser } from './turn-releaser.ts';

export interface FastPathDependencies extends Pick<TurnGiverDependencies, 'lookup' | 'earliest'> {
  readonly store: Pick<FlowStore, 'read' | 'next' | 'write' | 'beginAtOnce'>;
  readonly giver: Pick<TurnGiver, 'give'>;
  readonly releaser: Pick<TurnReleaser, 'release'>;
  readonly logger: QueueLogger;
}

/** A key with more calls that run is busy: those who give turns write its state for several calls at once. */
const maxRunning = 16;
/** After a call could not have its turn at once, how long calls of its key wait for theirs without a look, in milliseconds. */
const busyMs = 2_000;
/** Most keys that are remembered for it. */
const maxBusy = 10_000;
/** Waits between the tries to end a turn, before the sweeper of a worker does it. */
const releaseMs = [100, 1_000, 3_000] as const;
/** Most calls whose turns are being ended at once. */
const maxReleases = 1_000;

/** Refusals after which a message may be stored nevertheless. */
const uncertain: ReadonlySet<RefusalReason> = new Set(['timeout', 'unavailable']);

/**
 * Accepts a call of an idle key: one that has no call that waits, and may let one more begin now. The state of the key, which names the
 * call, is stored if it is the one that was read, and then the ready copy of the call, if the state is still that (see
 * docs/adr/0069). So the call takes no place among those that wait, and needs no notice.
 */
export class FastPath {
  readonly #deps: FastPathDependencies;
  /** By queue and key: a second call of a key that comes meanwhile would be refused by the broker. */
  readonly #underWay = new Set<string>();
  /** By queue and key, those of which a call had to wait, and until when. The oldest is first. */
  readonly #busy = new Map<string, number>();
  #releases = 0;

  constructor(deps: FastPathDependencies) {
    this.#deps = deps;
  }

  /**
   * Undefined if nothing is stored and the call has to wait for its turn as others do. Throws `QueueError`.
   * @param isOver whether the caller no longer waits for the answer
   */
  async accept(call: Call, isOver: () => boolean): Promise<PublishResult | undefined> {
    const place = flowPlaceOf(call);
    const name = `${place?.queue}/${place?.id}`;
    if (place === undefined || this.#underWay.has(name) || this.#isBusy(name)) {
      return undefined;
    }
    this.#underWay.add(name);
    try {
      const result = await this.#accept(place, call, isOver);
      if (result === undefined) {
        this.#noteBusy(name);
      }
      return result;
    } finally {
      this.#underWay.delete(name);
    }
  }

  /**
   * Ends the turn of a call that its state names alone, without reading the state. Undefined if that is not the state any more, or if
   * another call waits: then turns have to be given. Throws `QueueError` if the broker does not answer.
   */
  async end(place: FlowPlace, { flow }: Pick<Call, 'flow'>): Promise<GiveResult | undefined> {
    const { store, lookup } = this.#deps;
    // With a rate, the time of the end counts.
    if (flow?.aloneAt === undefined || lookup(place.function)?.flow?.rate !== undefined) {
      return undefined;
    }
    const rest = { ...emptyState(place), ...namedBy({ flow }) };
    const result = await store.write(place, rest, flow.aloneAt, restMs);
    if (result.kind === 'refused') {
      return isOvertaken(result) ? undefined : result;
    }
    return (await store.next(place, 1)) === undefined ? done : undefined;
  }

  /** To look at a key that is busy costs two reads for nothing. */
  #isBusy(name: string): boolean {
    return (this.#busy.get(name) ?? Number.NEGATIVE_INFINITY) > performance.now();
  }

  #noteBusy(name: string): void {
    this.#busy.delete(name);
    this.#busy.set(name, performance.now() + busyMs);
    const [oldest] = this.#busy.keys();
    if (this.#busy.size > maxBusy && oldest !== undefined) {
      this.#busy.delete(oldest);
    }
  }

  async #accept(place: FlowPlace, call: Call, isOver: () => boolean): Promise<PublishResult | undefined> {
    const { store } = this.#deps;
    // A call that was confirmed before this one came has its place, or its turn, by now.
    const [read, first] = await Promise.all([store.read(place), store.next(place, 1)]);
    const turn = first === undefined ? this.#turnOf(place, read.state, call) : undefined;
    if (turn === undefined) {
      return undefined;
    }
    const { state, isAlone } = turn;
    const wrote = await store.write(place, state, read.sequence);
    if (wrote.kind === 'refused') {
      if (uncertain.has(wrote.reason)) {
        this.#releaseLater(place, call);
      }
      return isOvertaken(wrote) ? undefined : wrote;
    }
    const result = isOver() ? late : await store.beginAtOnce(place, call, wrote.sequence, isAlone);
    if (result.kind === 'stored') {
      return result;
    }
    if (result !== late && uncertain.has(result.reason)) {
      this.#releaseLater(place, call);
      return result;
    }
    const problem = await this.#giveBack(place, call);
    return isOvertaken(result) ? problem : result;
  }

  /**
   * The state once the call has its turn, and whether it says no more than that and what the call has named. Undefined if it may not have
   * its turn now.
   */
  #turnOf(
    place: FlowPlace,
    stored: FlowState | undefined,
    call: Call,
  ): { readonly state: FlowState; readonly isAlone: boolean } | undefined {
    const { lookup, earliest } = this.#deps;
    const before = stored ?? emptyState(place);
    const named = { ...namedIn(before), ...namedBy(call) };
    const limits = limitsOf(before, lookup(place.function)?.flow, named);
    const state = withoutOldEnds({ ...before, ...named }, limits.rate, earliest());
    const isSmall = state.running.length < maxRunning && flowStateCodec.encode(state).length < maxStateBytes;
    if (!isSmall || !isOpenAt(state, limits, earliest())) {
      return undefined;
    }
    const isPlain = state.running.length === 0 && state.pin === undefined && limits.rate === undefined;
    return {
      state: withTurns(state, [{ call, sequence: state.cursor }]),
      isAlone: isPlain && isDeepStrictEqual(namedIn(state), namedBy(call)),
    };
  }

  /** Ends the turn of a call that is surely not ready, and never will be. Undefined if that is done. */
  async #giveBack(place: FlowPlace, call: Call): Promise<PublishResult | undefined> {
    try {
      const result = await this.#deps.giver.give(place, { ended: [identityOf(call)], isRepeated: false });
      if (result.kind === 'done') {
        return undefined;
      }
      this.#releaseLater(place, call);
      return result;
    } catch (error) {
      this.#releaseLater(place, call);
      throw error;
    }
  }

  /** If that fails, a sweeper finds the call gone. */
  #releaseLater(place: FlowPlace, call: Call): void {
    if (this.#releases >= maxReleases) {
      return;
    }
    this.#releases += 1;
    void this.#release(place, call).finally(() => {
      this.#releases -= 1;
    });
  }

  async #release(place: FlowPlace, { id, startTime }: Call): Promise<void> {
    const { releaser, logger } = this.#deps;
    const attempt = async (): Promise<object | undefined> => {
      try {
        const result = await releaser.release(place, [[id, startTime]]);
        return result.kind === 'refused' ? { detail: result.detail } : undefined;
      } catch (err) {
        if (!(err instanceof QueueError)) {
          throw err;
        }
        return { err };
      }
    };
    const sleep = (ms: number): Promise<void> => delay(ms, undefined, { ref: false });
    const problem = await retry(attempt, { waits: releaseMs, until: (found) => found === undefined, sleep });
    if (problem !== undefined) {
      const fields = { queue: place.queue, function: place.function, callId: id, ...problem };
      logger.warn(fields, 'the turn of a call that may not be stored could not be ended yet');
    }
  }
}

/** Whether it is certain that nothing is stored, because the key has changed. */
function isOvertaken(result: PublishResult): boolean {
  return isConflict(result) || (result.kind === 'refused' && result.reason === 'undecided');
}

const late = refused('timeout', 'the time was up before the call was sent');
