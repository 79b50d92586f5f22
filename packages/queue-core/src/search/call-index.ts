import { type CallKey, compareKeys } from './call-key.ts';
import { type ChunkEntry, type ChunkProbe, IndexChunk } from './index-chunk.ts';

/** A function in a queue. */
export interface IndexName {
  readonly function: string;
  readonly queue: string;
}

/** A message about a call, as an index gets it. */
export interface IndexEntry extends Omit<ChunkEntry, 'name'>, IndexName {}

/** What is asked of an index; all parts must hold. */
export interface IndexProbe extends Omit<ChunkProbe, 'isWanted' | 'count'> {
  readonly isName: (name: IndexName) => boolean;
}

/**
 * Messages about calls, sorted by the keys of their calls: 33 bytes for each. The entries are in
 * chunks, so that one more moves a few kilobytes at most, and nothing ever stops the process to sort or to copy all.
 */
export class CallIndex {
  #chunks: IndexChunk[] = [];
  readonly #names: IndexName[] = [];
  readonly #numbers = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add({ function: name, queue, ...entry }: IndexEntry): void {
    const chunk = this.#chunkFor(entry);
    chunk.insert(chunk.placeOf(entry), { ...entry, name: this.#numberOf({ function: name, queue }) });
    this.#size += 1;
  }

  /**
   * Removes entries of one key. Only what stands close to it is looked at, however large the index is.
   * @param sequences of messages about calls of this key
   */
  remove(key: CallKey, sequences: Pick<ReadonlySet<number>, 'has'>): void {
    for (const [chunk, from] of this.#descend(key, true)) {
      if (chunk.compareAt(from, key) < 0) {
        break;
      }
      this.#size -= chunk.retain((sequence) => !sequences.has(sequence));
    }
    this.#chunks = this.#chunks.filter(({ count }) => count > 0);
  }

  /** Removes entries of messages that no longer exist. All are looked at. */
  retain(keeps: (sequence: number) => boolean): void {
    for (const chunk of this.#chunks) {
      this.#size -= chunk.retain(keeps);
    }
    this.#chunks = this.#chunks.filter(({ count }) => count > 0);
  }

  /** Drops the oldest calls, one chunk at least. Returns the key of the newest of them. */
  dropOldest(): CallKey | undefined {
    const oldest = this.#chunks.shift();
    this.#size -= oldest?.count ?? 0;
    return oldest?.read(oldest.count - 1);
  }

  /**
   * The newest entries below a key that pass the probe, newest first: up to `count`, and all that have the key of the last
   * one.
   * @param includes whether those of the key itself are among them
   */
  take(below: CallKey, includes: boolean, probe: IndexProbe, count: number): ChunkEntry[] {
    const isWanted = Uint8Array.from(this.#names, (name) => (probe.isName(name) ? 1 : 0));
    const taken: ChunkEntry[] = [];
    for (const [chunk, from] of this.#descend(below, includes)) {
      if (!chunk.collect(from, { ...probe, isWanted, count }, taken)) {
        break;
      }
    }
    return taken;
  }

  /** All entries of a key. */
  at(key: CallKey): ChunkEntry[] {
    const found: ChunkEntry[] = [];
    for (const [chunk, from] of this.#descend(key, true)) {
      for (let at = from; at >= 0; at--) {
        if (chunk.compareAt(at, key) < 0) {
          return found;
        }
        found.push(chunk.read(at));
      }
    }
    return found;
  }

  /** The chunks from a key downwards, each with its newest place that counts. */
  *#descend(key: CallKey, includes: boolean): Generator<[chunk: IndexChunk, from: number], void, void> {
    const above = includes ? { micros: key.micros, hash: key.hash + 1 } : key;
    for (let index = this.#chunks.length - 1; index >= 0; index--) {
      const chunk = this.#chunks[index];
      if (chunk !== undefined && chunk.compareAt(0, above) < 0) {
        yield [chunk, chunk.placeOf(above) - 1];
      }
    }
  }

  /** A chunk with room at the place of a key. */
  #chunkFor(key: CallKey): IndexChunk {
    const index = this.#indexFor(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined || chunk.count === IndexChunk.capacity) {
      this.#makeRoom(index, key);
      return this.#chunkFor(key);
    }
    return chunk;
  }

  /** Entries that come in order fill their chunks; only those that come in between split one. */
  #makeRoom(index: number, key: CallKey): void {
    const full = this.#chunks[index];
    const place = full?.placeOf(key) ?? 0;
    if (full === undefined || place === 0) {
      this.#chunks.splice(index, 0, new IndexChunk());
    } else if (place === full.count) {
      this.#chunks.splice(index + 1, 0, new IndexChunk());
    } else {
      this.#chunks.splice(index + 1, 0, full.split());
    }
  }

  /** The last chunk that begins below a key; an empty one was just made for it. */
  #indexFor(key: CallKey): number {
    let [low, high] = [0, this.#chunks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const chunk = this.#chunks[middle];
      if (chunk !== undefined && (chunk.count === 0 || compareKeys(chunk.read(0), key) < 0)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  #numberOf(name: IndexName): number {
    const text = `${name.queue}/${name.function}`;
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      return known;
    }
    this.#numbers.set(text, this.#names.length);
    return this.#names.push(name) - 1;
  }
}
