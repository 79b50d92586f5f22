import { forEachLimited } from '../../for-each-limited.ts';
import type { BrokerTrouble, ReplayRefusal, ReplayResult } from './dead-letter-replayer.ts';
import type { DeadLetterEntry, DeadLetterPage } from './dead-letter-scan.ts';

export interface BulkReplayCount {
  readonly replayed: number;
  /** Dead letters that were not replayed. */
  readonly skipped: number;
  /** How many of them for which reason. */
  readonly refusals: Readonly<Partial<Record<ReplayRefusal, number>>>;
}

export type BulkReplayResult =
  /** `next`: the sequence to continue at; undefined if none is left. */
  | ({ readonly kind: 'done'; readonly next: number | undefined } & BulkReplayCount)
  /** The broker failed; what was replayed by then is counted. It may be repeated. */
  | ({ readonly kind: 'refused'; readonly reason: BrokerTrouble; readonly detail: string } & BulkReplayCount);

type Trouble = Extract<ReplayResult, { kind: 'refused' }>;

export interface BulkReplayDependencies {
  readonly list: (options: { limit: number; from: number }) => Promise<DeadLetterPage>;
  readonly replay: (sequence: number) => Promise<ReplayResult>;
}

const pageSize = 200;
/** A rare reason leads to many empty pages; after this many, the caller has to ask for the rest. */
const maxPages = 100;
/** Dead letters replayed at once, with their bodies. */
const concurrency = 16;

/** Replays dead letters and counts them. Use it once. */
export class BulkReplay {
  readonly #deps: BulkReplayDependencies;
  readonly #refusals = new Map<ReplayRefusal, number>();
  #replayed = 0;
  #skipped = 0;

  constructor(deps: BulkReplayDependencies) {
    this.#deps = deps;
  }

  /** Takes up to `limit` dead letters from `from` on, none behind `lastSequence`. Throws what `list` throws. */
  async run(options: { limit: number; from?: number | undefined }, lastSequence: number): Promise<BulkReplayResult> {
    let next = options.from;
    let left = options.limit;
    for (let pages = 0; left > 0 && pages < maxPages; pages++) {
      const page = await this.#deps.list({ limit: Math.min(pageSize, left), from: next ?? 1 });
      const entries = page.entries.filter(({ sequence }) => sequence <= lastSequence);
      const trouble = await this.#replayAll(entries);
      if (trouble !== undefined) {
        return this.interrupted(trouble);
      }
      left -= entries.length;
      next = page.next !== undefined && page.next <= lastSequence ? page.next : undefined;
      if (next === undefined) {
        break;
      }
    }
    return { kind: 'done', next, ...this.#count() };
  }

  interrupted(trouble: Trouble): BulkReplayResult {
    return { ...trouble, ...this.#count() };
  }

  /** Returns the first trouble. */
  async #replayAll(entries: readonly DeadLetterEntry[]): Promise<Trouble | undefined> {
    let trouble: Trouble | undefined;
    await forEachLimited(entries, concurrency, async ({ sequence }) => {
      if (trouble === undefined) {
        const result = await this.#deps.replay(sequence);
        trouble ??= this.#note(result);
      }
    });
    return trouble;
  }

  #note(result: ReplayResult): Trouble | undefined {
    if (result.kind === 'refused') {
      return result;
    }
    if (result.kind === 'replayed') {
      this.#replayed += 1;
    } else {
      this.#skipped += 1;
      this.#refusals.set(result.refusal, (this.#refusals.get(result.refusal) ?? 0) + 1);
    }
    return undefined;
  }

  #count(): BulkReplayCount {
    return { replayed: this.#replayed, skipped: this.#skipped, refusals: Object.fromEntries(this.#refusals) };
  }
}
