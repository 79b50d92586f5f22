import type { StoredMsg } from '@nats-io/jetstream';
import {
  addressOf,
  type CallIdentity,
  callPattern,
  emptyBody,
  identityOf,
  identityTokens,
  phaseUntilDue,
  queueStream,
} from '../../call/index.ts';
import { type CallState, outcomeCodec } from '../../records/index.ts';
import { type CallKey, type ChunkEntry, isLargeStatus } from '../../search/index.ts';
import { type LaneProgress, laneProgress, type QueueTopology, wasDelivered } from '../layout/index.ts';
import { type CallFinder, type QueuedCall, toEndedCall, toQueuedCall } from '../lookup/index.ts';
import { lastMessage, messageAt, type PageBroker } from '../messages/index.ts';
import type { CallStore, RecordedEnd } from '../store/index.ts';
import { type OutcomeHeader, readOutcomeHeader, readOutcomeRuns } from './outcome-runs.ts';
import type { SearchIndex } from './search-index.ts';

export interface PageReaderDependencies {
  readonly broker: PageBroker;
  readonly topology: Pick<QueueTopology, 'manager'>;
  readonly finder: Pick<CallFinder, 'find' | 'explain'>;
  readonly calls: Pick<CallStore, 'findCallbackState' | 'findNewestOutcome'>;
  /** How long after its end a call is known, in milliseconds; 0 is as long as its record is kept. */
  readonly resultTtlMs: number;
  /** By the broker's clock: Unix time in milliseconds. */
  readonly now: () => number;
}

/** What a search is not made in, because its filter selects nothing there: each call is looked for there by itself. */
export interface Unsearched {
  /** Queues of which not all calls are searched: a call that has failed may be there again, as a replay. */
  readonly queues: readonly string[];
  /** Whether the outcomes are not searched: a call may have ended that is in its queue. */
  readonly outcomes: boolean;
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
  readonly #unsearched: Unsearched;
  readonly #lanes = new Map<string, Promise<LaneProgress>>();
  /** Outcomes that were read together, by their sequence. */
  #runs = new Map<number, OutcomeHeader>();

  constructor(deps: PageReaderDependencies, unsearched: Unsearched) {
    this.#deps = deps;
    this.#unsearched = unsearched;
  }

  /** Reads together what is close together of some keys, so that `read` finds it. Throws `QueueError`. */
  async prepare(keys: readonly CallKey[], indexes: readonly SearchIndex[]): Promise<void> {
    const { broker, topology } = this.#deps;
    const entries = indexes
      .filter(({ kind }) => kind === 'outcome')
      .flatMap((index) => keys.flatMap((key) => index.entries.at(key)));
    const sequences = entries.map(({ sequence }) => sequence);
    this.#runs = await readOutcomeRuns(broker, topology.manager, sequences);
  }

  /** The calls of a key, by all that the indexes have of it. Throws `QueueError`. */
  async read(key: CallKey, indexes: readonly SearchIndex[]): Promise<ReadGroup> {
    const found = new Map<string, Messages>();
    let hasGone = false;
    for (const index of indexes) {
      const gone = new Set<number>();
      for (const entry of index.entries.at(key).filter(({ sequence }) => sequence >= index.first)) {
        if (!(await this.#readMessage(index, entry, found))) {
          gone.add(entry.sequence);
        }
      }
      if (gone.size > 0) {
        index.forget(key, gone);
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
  async #readMessage(index: SearchIndex, entry: ChunkEntry, found: Map<string, Messages>): Promise<boolean> {
    return index.kind === 'call'
      ? await this.#readCall(index.stream, entry, found)
      : await this.#readOutcome(index.stream, entry, found);
  }

  async #readCall(stream: string, { sequence }: ChunkEntry, found: Map<string, Messages>): Promise<boolean> {
    const message = await messageAt(this.#deps.topology.manager, stream, sequence);
    const queued = message && toQueuedCall(message, emptyBody);
    if (queued !== undefined) {
      const of = entryOf(found, queued.subject);
      of.queued = (of.queued?.sequence ?? 0) > sequence ? of.queued : queued;
    }
    return message !== undefined;
  }

  async #readOutcome(stream: string, entry: ChunkEntry, found: Map<string, Messages>): Promise<boolean> {
    const { sequence } = entry;
    const { broker, topology } = this.#deps;
    const prepared = this.#runs.get(sequence);
    // Only once: when the call is read again, the outcome may have been replaced.
    this.#runs.delete(sequence);
    const read =
      prepared ??
      (isLargeStatus(entry.status)
        ? await readOutcomeHeader(broker, topology.manager, sequence)
        : toHeader(await messageAt(topology.manager, stream, sequence)));
    const outcome = read && outcomeCodec.decode(read.header);
    if (outcome !== undefined) {
      const of = entryOf(found, outcome);
      const isNewest = (of.end?.outcome.generation ?? -1) < outcome.generation;
      of.end = isNewest ? { outcome, storedAt: read?.storedAt ?? outcome.endedAt, sequence } : of.end;
    }
    return read !== undefined;
  }

  /** Undefined for a call that is not shown. */
  async #toState(found: Messages): Promise<CallState | 'moved' | undefined> {
    const end = found.end ?? (await this.#findEnd(found.queued));
    const queued = found.queued ?? (await this.#findReplay(found.end));
    if (queued !== undefined && (end === undefined || end.outcome.generation < (queued.call.generation ?? 0))) {
      return await this.#toActive(queued);
    }
    return end === undefined || end.outcome.erased === true || this.#isForgotten(end)
      ? undefined
      : toEndedCall(this.#deps.calls, end);
  }

  async #findEnd(queued: QueuedCall | undefined): Promise<RecordedEnd | undefined> {
    const isKnown = queued === undefined || !this.#unsearched.outcomes;
    return isKnown ? undefined : await this.#deps.calls.findNewestOutcome(addressOf(identityOf(queued.call)));
  }

  /** Only what has a dead letter can be replayed. */
  async #findReplay(end: RecordedEnd | undefined): Promise<QueuedCall | undefined> {
    if (end === undefined || (end.outcome.status !== 'failed' && end.outcome.status !== 'expired')) {
      return undefined;
    }
    const { function: name } = end.outcome;
    const call = addressOf(end.outcome);
    const messages = await Promise.all(
      this.#unsearched.queues.map((queue) => {
        const subject = callPattern({ queue, readiness: '*', function: name, call });
        return lastMessage(this.#deps.topology.manager, queueStream(queue), subject, { owner: call.owner });
      }),
    );
    const [newest] = messages
      .flatMap((message) => (message && toQueuedCall(message, emptyBody)) ?? [])
      .toSorted((a, b) => b.storedAtMs - a.storedAtMs);
    return newest;
  }

  async #toActive(queued: QueuedCall): Promise<CallState | 'moved'> {
    const { call, subject, dueAt } = queued;
    if (subject.readiness === 'later') {
      const phase = phaseUntilDue(call);
      return { kind: 'active', phase, call, ...(phase === 'queued' ? { waitingFor: 'rate' } : { dueAt }) };
    }
    if (subject.readiness !== 'ready') {
      return { kind: 'active', phase: 'queued', call, waitingFor: 'flow' };
    }
    if (wasDelivered(await this.#progressOf(queued), queued) === 'no') {
      return await this.#deps.finder.explain({ kind: 'active', phase: 'queued', call });
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

function toHeader(message: StoredMsg | undefined): OutcomeHeader | undefined {
  return message && { header: message.header.get(outcomeCodec.header), storedAt: message.time.getTime() };
}

function entryOf(found: Map<string, Messages>, call: CallIdentity): Messages {
  const tokens = identityTokens(call);
  const known = found.get(tokens) ?? {};
  found.set(tokens, known);
  return known;
}
