import type { CallKey, Marks } from './call-key.ts';

/** What an index knows of a message about a call. */
export interface ChunkEntry extends CallKey {
  /** Of the message in its stream. */
  readonly sequence: number;
  /** Number of the function and the queue. */
  readonly name: number;
  /** See `marksOf`. */
  readonly marks: Marks;
  /** Number of a status. */
  readonly status: number;
}

/** What is asked of a chunk; all parts must hold. */
export interface ChunkProbe {
  /** 1 for each number of a function and a queue that counts. */
  readonly isWanted: Uint8Array;
  /** A bit for each number of a status that counts. */
  readonly statuses: number;
  /** Bits that an entry must have. */
  readonly marks: Marks;
  /** Accepted at this time or later: Unix time in microseconds. */
  readonly fromMicros: number;
  /** Messages before this sequence no longer exist. */
  readonly fromSequence: number;
  /** This many entries, and all that have the key of the last one. */
  readonly count: number;
}

/** A part of an index: up to so many entries, in the order of their keys, in 33 bytes each. */
export class IndexChunk {
  static readonly capacity = 4_096;
  readonly micros = new Float64Array(IndexChunk.capacity);
  readonly sequences = new Float64Array(IndexChunk.capacity);
  readonly hashes = new Uint32Array(IndexChunk.capacity);
  readonly names = new Uint32Array(IndexChunk.capacity);
  readonly lowMarks = new Uint32Array(IndexChunk.capacity);
  readonly highMarks = new Uint32Array(IndexChunk.capacity);
  readonly statuses = new Uint8Array(IndexChunk.capacity);
  count = 0;

  get #columns() {
    return [this.micros, this.sequences, this.hashes, this.names, this.lowMarks, this.highMarks, this.statuses];
  }

  /** Negative if the entry at a place is older than a key. */
  compareAt(at: number, { micros, hash }: CallKey): number {
    return (this.micros[at] ?? 0) - micros || (this.hashes[at] ?? 0) - hash;
  }

  /** The place of the first entry that is not older than a key. */
  placeOf(key: CallKey): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareAt(middle, key) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  read(at: number): ChunkEntry {
    return {
      micros: this.micros[at] ?? 0,
      hash: this.hashes[at] ?? 0,
      sequence: this.sequences[at] ?? 0,
      name: this.names[at] ?? 0,
      marks: [this.lowMarks[at] ?? 0, this.highMarks[at] ?? 0],
      status: this.statuses[at] ?? 0,
    };
  }

  /**
   * Collects entries that pass, from a place downwards. Returns whether older ones are wanted. A search looks at a million
   * of them: the loop reads no property.
   */
  collect(from: number, probe: ChunkProbe, taken: ChunkEntry[]): boolean {
    const { sequences, names, lowMarks, highMarks, statuses } = this;
    const { isWanted, statuses: wanted, fromSequence, count } = probe;
    const [low, high] = probe.marks;
    const end = this.placeOf({ micros: probe.fromMicros, hash: 0 });
    for (let at = from; at >= end; at--) {
      if (
        isWanted[names[at] as number] === 1 &&
        ((wanted >>> (statuses[at] as number)) & 1) === 1 &&
        ((lowMarks[at] as number) & low) >>> 0 === low &&
        ((highMarks[at] as number) & high) >>> 0 === high &&
        (sequences[at] as number) >= fromSequence
      ) {
        const last = taken.length < count ? undefined : taken.at(-1);
        if (last !== undefined && this.compareAt(at, last) < 0) {
          return false;
        }
        taken.push(this.read(at));
      }
    }
    return end === 0;
  }

  /** Only while there is room. */
  insert(at: number, { micros, hash, sequence, name, marks, status }: ChunkEntry): void {
    for (const column of this.#columns) {
      column.copyWithin(at + 1, at, this.count);
    }
    this.micros[at] = micros;
    this.hashes[at] = hash;
    this.sequences[at] = sequence;
    this.names[at] = name;
    [this.lowMarks[at], this.highMarks[at]] = marks;
    this.statuses[at] = status;
    this.count += 1;
  }

  /** Moves the newer half into a chunk of its own. */
  split(): IndexChunk {
    const newer = new IndexChunk();
    const half = this.count >>> 1;
    for (const [index, column] of this.#columns.entries()) {
      newer.#columns[index]?.set(column.subarray(half, this.count));
    }
    newer.count = this.count - half;
    this.count = half;
    return newer;
  }

  /** Keeps the entries whose sequence passes. Returns how many are gone. */
  retain(keeps: (sequence: number) => boolean): number {
    let kept = 0;
    const columns = this.#columns;
    for (let at = 0; at < this.count; at++) {
      if (keeps(this.sequences[at] ?? 0)) {
        if (kept < at) {
          for (const column of columns) {
            column[kept] = column[at] ?? 0;
          }
        }
        kept += 1;
      }
    }
    const gone = this.count - kept;
    this.count = kept;
    return gone;
  }
}
