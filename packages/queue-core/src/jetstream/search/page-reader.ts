import { addressOf, type CallIdentity, emptyBody, hasStarted, identityOf, identityTokens } from '../../call/index.ts';
import { type CallState, outcomeCodec } from '../../records/index.ts';
import type { CallKey } from '../../search/index.ts';
import { type LaneProgress, laneProgress, type QueueTopology, wasDelivered } from '../layout/index.ts';
import { type CallFinder, type QueuedCall, toQueuedCall } from '../lookup/index.ts';
import { messageAt } from '../messages/index.ts';
import type { CallStore, RecordedEnd } from '../store/index.ts';
import type { StreamIndex } from './stream-index.ts';

export interface PageReaderDependencies {
  readonly topology: Pick<QueueTopology, 'manager'>;
  readonly finder: Pick<CallFinder, 'find'>;
  readonly calls: Pick<CallStore, 'findCallbackState'>;
  /** How long after its end a call is known, in milliseconds; 0 is as long as its record is kept. */
  readonly resultTtlMs: number;
  /** By the broker's clock: Unix time in milliseconds. */
  readonly now: () => number;
}

/** A call of a page. */
export interface ListedCall {
  readonly state: CallState;
  /** Orders calls of one key. */
  readonly tokens: string;
}

/** The calls of one key: in nearly all cases a single one. */
export interface ReadGroup {
  readonly calls: readonly ListedCall[];
  /** Whether messages of the index have gone: then their calls have moved or ended. */
  readonly hasGone: boolean;
}

interface Messages {
  queued?: QueuedCall | undefined;
  end?: RecordedEnd | undefined;
}

/** Reads the calls of one page, as they are now. Use it for one page. */
export class PageReader {
  readonly #deps: PageReaderDependencies;
  readonly #lanes = new Map<string, Promise<LaneProgress>>();

  constructor(deps: PageReaderDependencies) {
    this.#deps = deps;
  }

  /** The calls of a key, by all that the indexes have of it. Throws `QueueError`. */
  async read(key: CallKey, indexes: readonly StreamIndex[]): Promise<ReadGroup> {
    const found = new Map<string, Messages>();
    let hasGone = false;
    for (const index of indexes) {
      const gone = new Set<number>();
      for (const { sequence } of index.entries.at(key).filter((entry) => entry.sequence >= index.first)) {
        if (!(await this.#readMessage(index, sequence, found))) {
          gone.add(sequence);
        }
      }
      if (gone.size > 0) {
        index.forget(gone);
        hasGone = true;
      }
    }
    const calls: ListedCall[] = [];
    for (const [tokens, messages] of [...found].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const state = await this.#toState(messages);
      if (state === 'moved') {
        hasGone = true;
      } else if (state !== undefined) {
        calls.push({ state, tokens });
      }
    }
    return { calls, hasGone };
  }

  /** Notes what a message says, if it is the newest of its kind. False if it no longer exists. */
  async #readMessage({ source }: StreamIndex, sequence: number, found: Map<string, Messages>): Promise<boolean> {
    const message = await messageAt(this.#deps.topology.manager, source.stream, sequence);
    if (message === undefined) {
      return false;
    }
    if (source.kind === 'call') {
      const queued = toQueuedCall(message, emptyBody);
      if (queued !== undefined) {
        const of = entryOf(found, queued.subject);
        of.queued = (of.queued?.sequence ?? 0) > sequence ? of.queued : queued;
      }
      return true;
    }
    const outcome = outcomeCodec.decode(message.header.get(outcomeCodec.header));
    if (outcome !== undefined) {
      const of = entryOf(found, outcome);
      const isNewest = (of.end?.outcome.generation ?? -1) < outcome.generation;
      of.end = isNewest ? { outcome, storedAt: message.time.getTime(), sequence } : of.end;
    }
    return true;
  }

  /** Undefined for a call that is not shown. */
  async #toState({ queued, end }: Messages): Promise<CallState | 'moved' | undefined> {
    if (queued !== undefined && (end === undefined || end.outcome.generation < (queued.call.generation ?? 0))) {
      return await this.#toActive(queued);
    }
    if (end === undefined || end.outcome.erased === true || this.#isForgotten(end)) {
      return undefined;
    }
    const { outcome, ...place } = end;
    const callback = outcome.callbackUrl === undefined ? undefined : await this.#deps.calls.findCallbackState(outcome);
    return { kind: 'ended', outcome, callback, ...place };
  }

  async #toActive(queued: QueuedCall): Promise<CallState | 'moved'> {
    const { call, subject, dueAt } = queued;
    if (subject.readiness === 'later') {
      return { kind: 'active', phase: hasStarted(call) ? 'retrying' : 'scheduled', call, dueAt };
    }
    if (wasDelivered(await this.#progressOf(queued), queued) === 'no') {
      return { kind: 'active', phase: 'queued', call };
    }
    return (await this.#deps.finder.find(addressOf(identityOf(call)))) ?? 'moved';
  }

  #progressOf({ subject }: QueuedCall): Promise<LaneProgress> {
    const name = `${subject.queue}/${subject.function}`;
    const known = this.#lanes.get(name) ?? laneProgress(this.#deps.topology.manager, subject);
    this.#lanes.set(name, known);
    return known;
  }

  #isForgotten({ outcome, storedAt = outcome.endedAt }: RecordedEnd): boolean {
    const { resultTtlMs, now } = this.#deps;
    return resultTtlMs > 0 && storedAt + resultTtlMs < now();
  }
}

function entryOf(found: Map<string, Messages>, call: CallIdentity): Messages {
  const tokens = identityTokens(call);
  const known = found.get(tokens) ?? {};
  found.set(tokens, known);
  return known;
}
