import { type CallIdentity, identityTokens } from '../../call/index.ts';
import type { RunningReport } from '../../records/index.ts';

/** An attempt as it is stored: a message of its queue. */
export interface StoredAttempt {
  readonly call: CallIdentity;
  readonly generation: number;
  readonly retry: number;
  /** Sequence of its message. */
  readonly sequence: number;
}

/** The knowledge of a gateway about an attempt without an answer of its worker. */
export interface Silence {
  /** The last report of a worker, if one has answered before. */
  readonly last: RunningReport | undefined;
  /** How long no worker has answered for it, since the first question that got no answer: milliseconds. */
  readonly forMs: number;
}

interface Entry {
  readonly attempt: StoredAttempt;
  last: RunningReport | undefined;
  silentSince: number | undefined;
}

/** How many attempts are remembered, at least. */
const remembered = 10_000;

/**
 * Remembers what workers have reported about the attempts that a gateway is asked about, and how long they have been
 * silent. A slow worker is not a dead one: its last report holds as long as the lease may run.
 */
export class LeaseTracker {
  readonly #now: () => number;
  /** Two generations: to forget all of a map at once costs nothing. */
  #entries = new Map<string, Entry>();
  #before = new Map<string, Entry>();

  /** @param now monotonic clock in milliseconds */
  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  /** The gateway is about to ask the workers about the attempt. */
  asked(attempt: StoredAttempt): void {
    if (this.#find(keyOf(attempt))?.attempt.sequence !== attempt.sequence) {
      this.#keep({ attempt, last: undefined, silentSince: undefined });
    }
  }

  /** A worker has answered, perhaps too late for the question. */
  heard(call: CallIdentity, report: RunningReport): void {
    const entry = this.#find(identityTokens(call));
    if (entry !== undefined && report.standing === 'running' && concerns(report, entry.attempt)) {
      entry.last = report;
      entry.silentSince = undefined;
    }
  }

  /** No worker has answered in time. */
  unanswered(attempt: StoredAttempt): Silence {
    const entry = this.#find(keyOf(attempt));
    if (entry === undefined) {
      return { last: undefined, forMs: 0 };
    }
    entry.silentSince ??= this.#now();
    return { last: entry.last, forMs: this.#now() - entry.silentSince };
  }

  /** Answers may have been lost: all silences begin now. */
  connectionLost(): void {
    for (const entry of [...this.#entries.values(), ...this.#before.values()]) {
      entry.silentSince = undefined;
    }
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key) ?? this.#before.get(key);
    if (entry !== undefined && !this.#entries.has(key)) {
      this.#keep(entry);
    }
    return entry;
  }

  #keep(entry: Entry): void {
    if (this.#entries.size >= remembered) {
      this.#before = this.#entries;
      this.#entries = new Map();
    }
    this.#entries.set(keyOf(entry.attempt), entry);
  }
}

function keyOf({ call }: StoredAttempt): string {
  return identityTokens(call);
}

/**
 * Whether a report is about this attempt or a later one. A worker that has run an earlier attempt remembers it for a
 * while, and answers beside the one that runs this attempt.
 */
export function concerns(
  report: Pick<RunningReport, 'generation' | 'retry'>,
  attempt: Pick<StoredAttempt, 'generation' | 'retry'>,
): boolean {
  return (
    report.generation > attempt.generation ||
    (report.generation === attempt.generation && report.retry >= attempt.retry)
  );
}
