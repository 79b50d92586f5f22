import type { StoredMsg } from '@nats-io/jetstream';
import { callFilter, flowNoticeSubject, flowStateSubject, ownerOf, queueStream } from '../../call/index.ts';
import { type FlowPlace, type FlowState, flowNoticeCodec, flowPlaceIn, flowStateCodec } from '../../flows/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { hasMessage, nextMessage } from '../messages/index.ts';
import { namedBy } from './flow-messages.ts';
import type { FlowStore } from './flow-store.ts';
import type { TurnGiver } from './turn-giver.ts';

export interface FlowSweeperDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  readonly store: Pick<FlowStore, 'removeNotices' | 'next'>;
  readonly giver: Pick<TurnGiver, 'give'>;
}

/** A gateway gives turns within milliseconds, or is dead. */
const overdueMs = 2_000;
/** A state that has changed since is not looked at: its calls live. */
const quietMs = 10_000;
/** Most notices of a queue, and most states, that are looked at in a round. */
const maxNotices = 1_000;
const maxStates = 200;

/**
 * Finds keys that a crash has left without anyone to give their turns: those with an old notice, and those whose calls are
 * gone, because a process of another version or a person has removed them. Safe in many processes at once.
 */
export class FlowSweeper {
  readonly #deps: FlowSweeperDependencies;
  /** Where the next look at the states of a queue begins. */
  readonly #next = new Map<string, number>();
  /** Calls of states that were gone at the last look: one may be on its way from its schedule into its queue. */
  #suspects: ReadonlySet<string> = new Set();

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
      await this.#deps.store.removeNotices(place, message.seq);
    }
    return result.kind === 'done';
  }

  /** As `sweepNotices`, for states whose calls are gone. Each round goes on where the one before has ended. */
  async sweepStates(now: number): Promise<number> {
    let swept = 0;
    const suspects = new Set<string>();
    for (const queue of await this.#deps.topology.listQueues()) {
      const filter = flowStateSubject(queue, '*');
      let next = this.#next.get(queue) ?? 1;
      for (let looks = 0; looks < maxStates; looks++) {
        const message = await nextMessage(this.#deps.topology.manager, queueStream(queue), filter, next);
        next = message === undefined || isYoung(message, now) ? 1 : message.seq + 1;
        if (message === undefined || next === 1) {
          break;
        }
        swept += (await this.#sweepState(queue, message, suspects)) ? 1 : 0;
      }
      this.#next.set(queue, next);
    }
    this.#suspects = suspects;
    return swept;
  }

  async #sweepState(queue: string, message: StoredMsg, suspects: Set<string>): Promise<boolean> {
    const state = flowStateCodec.decode(message.header.get(flowStateCodec.header));
    if (state === undefined) {
      return false;
    }
    const gone = await this.#findGone(queue, state);
    const known = gone.filter((call) => this.#suspects.has(nameOf(queue, call)));
    for (const call of gone) {
      suspects.add(nameOf(queue, call));
    }
    const place = flowPlaceIn(queue, state);
    if (known.length === 0 && !(await this.#isLeft(place, state))) {
      return false;
    }
    return (await this.#deps.giver.give(place, { ended: known })).kind === 'done';
  }

  /** Whether calls wait although none has its turn: the process that stored the last end has died before it looked again. */
  async #isLeft(place: FlowPlace, { running, paused }: FlowState): Promise<boolean> {
    return running.length === 0 && paused !== true && (await this.#deps.store.next(place, 1)) !== undefined;
  }

  /** The calls that have their turn and no message any more. */
  async #findGone(queue: string, { running, submitter }: FlowState): Promise<GoneCall[]> {
    const gone: GoneCall[] = [];
    const owner = ownerOf(submitter);
    for (const [callId, startTime] of running) {
      const filter = callFilter(queue, { callId, owner, startTime });
      if (!(await hasMessage(this.#deps.topology.manager, queueStream(queue), filter, owner))) {
        gone.push({ callId, startTime });
      }
    }
    return gone;
  }
}

interface GoneCall {
  readonly callId: string;
  readonly startTime: string;
}

function nameOf(queue: string, { callId, startTime }: GoneCall): string {
  return `${queue}/${callId}/${startTime}`;
}

/** States are in the order in which they changed: those behind a young one are younger. */
function isYoung({ time }: StoredMsg, now: number): boolean {
  return time.getTime() > now - quietMs;
}
