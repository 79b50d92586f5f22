/** Distinguishes a stream from another one of the same name. */
export interface StreamSight {
  readonly name: string;
  /** When it was created. */
  readonly created: string;
  /** Messages that it holds. */
  readonly held: number;
  /** Sequence number of the last message that was stored in it. */
  readonly lastSequence: number;
}

/** A stream that is gone, or that another one of the same name has replaced. */
export interface LostStream {
  readonly stream: string;
  /** Messages that it held when it was last seen. */
  readonly held: number;
}

/**
 * Remembers the streams that this process has seen, to distinguish a lost stream from one that never existed. A broker
 * that has come back without its data cannot tell.
 */
export class KnownStreams {
  readonly #seen = new Map<string, StreamSight>();

  /** Remembers a stream. Returns what was lost if it has replaced another one. */
  note(sight: StreamSight): LostStream | undefined {
    const before = this.#seen.get(sight.name);
    this.#seen.set(sight.name, sight);
    if (before === undefined || before.created === sight.created) {
      return undefined;
    }
    // A stream that was restored from a backup has a new date too, but continues its sequence numbers.
    const isWhole = before.lastSequence > 0 && sight.lastSequence >= before.lastSequence;
    return isWhole ? undefined : { stream: sight.name, held: before.held };
  }

  has(name: string): boolean {
    return this.#seen.has(name);
  }

  /** The known streams that are not among `names`. */
  missingFrom(names: ReadonlySet<string>): string[] {
    return [...this.#seen.keys()].filter((name) => !names.has(name));
  }

  /** Forgets a stream that is gone. Returns what was lost. */
  lose(name: string): LostStream | undefined {
    const before = this.#seen.get(name);
    this.#seen.delete(name);
    return before && { stream: name, held: before.held };
  }
}
