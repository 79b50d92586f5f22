import type { StoredMsg } from '@nats-io/jetstream';
import { flowNoticeSubject, flowStateSubject, queueStream } from '../../call/index.ts';
import {
  type FlowPlace,
  type FlowState,
  flowNoticeCodec,
  flowPlaceIn,
  flowStateCodec,
  isAtRest,
} from '../../flows/index.ts';
import { forEachLimited } from '../../for-each-limited.ts';
import type { QueueTopology } from '../layout/index.ts';
import { nextMessage } from '../messages/index.ts';
import { doesExpire, namedBy } from './flow-messages.ts';
import type { FlowStore } from './flow-store.ts';
import { readBatch } from './read-batch.ts';
import type { TurnGiver } from './turn-giver.ts';
import type { TurnReleaser } from './turn-releaser.ts';

export interface FlowSweeperDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  readonly store: Pick<FlowStore, 'removeNotices' | 'next' | 'findGone'>;
  readonly giver: Pick<TurnGiver, 'give'>;
  readonly releaser: Pick<TurnReleaser, 'release'>;
}

/** A gateway gives turns within milliseconds, or is dead. */
const overdueMs = 2_000;
/** A state that has changed since is not looked at: its calls live. */
const quietMs = 10_000;
/** Most notices of a queue that are looked at in a round. */
const maxNotices = 1_000;
/** Most states likewise: those of 100,000 keys in four minutes, with two small requests for each. */
const maxStates = 4_000;
/** States that are read at once, and of these, how many are looked at at once. */
const batchStates = 500;
const maxAtOnce = 4;

/**
 * Finds keys that a crash has left without anyone to give their turns: those with an old notice, those with a turn that was
 * stored and never begun, and those whose calls are gone, because a process of another version or a person has removed them. Safe in
 * many processes at once.
 */
export class FlowSweeper {
  readonly #deps: FlowSweeperDependencies;
  /** Where the next look at the states of a queue begins. */
  readonly #next = new Map<string, number>();
  /** Looked at once more in the next round: a call may have been on its way from its schedule into its queue. */
  #suspects: readonly Suspect[] = [];

  constructor(deps: FlowSweeperDependencies) {
    this.#deps = deps;
  }

  /**
   * Returns for how many keys turns were given. Throws `QueueError`.
   * @param now Unix time in milliseconds, by the broker's clock
   */
  async sweepNotices(now: number): Promise<number> {
    let swept = 0;
    for (const queue of await this.#deps.topology.listQueues()) {
      const filter = flowNoticeSubject(queue, '*');
      for (let next = 1, looks = 0; looks < maxNotices; looks++) {
        const message = await nextMessage(this.#deps.topology.manager, queueStream(queue), filter, next);
        if (message === undefined || message.time.getTime() > now - overdueMs) {
          break;
        }
        next = message.seq + 1;
        swept += (await this.#sweepNotice(queue, message)) ? 1 : 0;
      }
    }
    return swept;
  }

  async #sweepNotice(queue: string, message: StoredMsg): Promise<boolean> {
    const notice = flowNoticeCodec.decode(message.header.get(flowNoticeCodec.header));
    if (notice === undefined) {
      return false;
    }
    const place = flowPlaceIn(queue, notice);
    const result = await this.#deps.giver.give(place, { named: namedBy({ flow: notice }) });
    if (result.kind === 'done') {
      await this.#deps.store.removeNotices(place, message.seq, 1);
    }
    return result.kind === 'done';
  }

  /** As `sweepNotices`, by the states of keys. Each round goes on where the one before has ended. */
  async sweepStates(now: number): Promise<number> {
    const suspects: Suspect[] = [];
    let swept = await this.#sweepSuspects(suspects);
    for (const queue of await this.#deps.topology.listQueues()) {
      const filter = flowStateSubject(queue, '*');
      let next = this.#next.get(queue) ?? 1;
      for (let looks = 0, isOver = false; looks < maxStates && !isOver; looks += batchStates) {
        const range = { from: next, most: batchStates };
        const messages = await readBatch(this.#deps.topology.manager, queueStream(queue), filter, range);
        const old = messages.filter((message) => !isYoung(message, now));
        await forEachLimited(old, maxAtOnce, async (message) => {
          const isSwept = await this.#sweepState(queue, message, suspects);
          swept += isSwept ? 1 : 0;
        });
        isOver = messages.length === 0 || old.length < messages.length;
        next = isOver ? 1 : (old.at(-1)?.seq ?? 0) + 1;
      }
      this.#next.set(queue, next);
    }
    this.#suspects = suspects;
    return swept;
  }

  async #sweepState(queue: string, message: StoredMsg, suspects: Suspect[]): Promise<boolean> {
    const state = flowStateCodec.decode(message.header.get(flowStateCodec.header));
    if (state === undefined) {
      return false;
    }
    const place = flowPlaceIn(queue, state);
    const gone = await this.#deps.store.findGone(place, state.running);
    if (gone.length > 0) {
      suspects.push({ place, gone });
    }
    const isLeft = isForgotten(message, state) || (await this.#isLeft(place, state));
    return isLeft && (await this.#deps.giver.give(place)).kind === 'done';
  }

  async #sweepSuspects(suspects: Suspect[]): Promise<number> {
    let swept = 0;
    for (const suspect of this.#suspects) {
      swept += (await this.#sweepSuspect(suspect, suspects)) ? 1 : 0;
    }
    return swept;
  }

  /** If the turns cannot be given now, they are tried again in the next round. */
  async #sweepSuspect({ place, gone }: Suspect, suspects: Suspect[]): Promise<boolean> {
    const result = await this.#deps.releaser.release(place, gone);
    if (result.kind === 'refused') {
      suspects.push({ place, gone });
    }
    return result.kind === 'done';
  }

  /**
   * Whether the process has died that was to give turns: after it had stored the last end, before it looked again; or after it had
   * stored a turn, before the call was ready.
   */
  async #isLeft(place: FlowPlace, { running, cursor, paused }: FlowState): Promise<boolean> {
    const first = await this.#deps.store.next(place, 1);
    return first !== undefined && (first.seq <= cursor || (running.length === 0 && paused !== true));
  }
}

/** A key with calls that have their turn and were gone when they were looked for. */
interface Suspect {
  readonly place: FlowPlace;
  readonly gone: FlowState['running'];
}

/** Whether the key is at rest and its state stays: the calls that were seen to wait when it was stored have left since. */
function isForgotten(message: StoredMsg, state: FlowState): boolean {
  return isAtRest(state) && !doesExpire(message);
}

/** States are in the order in which they changed: those behind a young one are younger. */
function isYoung({ time }: StoredMsg, now: number): boolean {
  return time.getTime() > now - quietMs;
}
