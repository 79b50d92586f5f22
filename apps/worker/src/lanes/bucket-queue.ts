/** Returns items from the lowest bucket first, and within a bucket the oldest first. Each step takes constant time. */
export class BucketQueue<T> {
  /** Each in the order of insertion. */
  readonly #buckets: (Set<T> | undefined)[] = [];
  readonly #bucketOf = new Map<T, number>();
  /** All lower buckets are empty. */
  #lowest = 0;

  /**
   * Adds an item, or moves it to another bucket. In its own bucket it keeps its place.
   *
   * @param bucket a whole number from 0
   */
  put(item: T, bucket: number): void {
    if (this.#bucketOf.get(item) === bucket) {
      return;
    }
    this.delete(item);
    this.#bucketOf.set(item, bucket);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? new Set()).add(item);
    this.#lowest = Math.min(this.#lowest, bucket);
  }

  delete(item: T): void {
    const bucket = this.#bucketOf.get(item);
    if (bucket !== undefined) {
      this.#bucketOf.delete(item);
      this.#buckets[bucket]?.delete(item);
    }
  }

  /** The only item; undefined if there are none or several. */
  only(): T | undefined {
    const [item] = this.#bucketOf.size === 1 ? this.#bucketOf.keys() : [];
    return item;
  }

  /** Removes and returns the next item. */
  shift(): { readonly item: T; readonly bucket: number } | undefined {
    for (; this.#lowest < this.#buckets.length; this.#lowest++) {
      for (const item of this.#buckets[this.#lowest] ?? []) {
        this.delete(item);
        return { item, bucket: this.#lowest };
      }
    }
    return undefined;
  }
}
