/** Hands out what is on the lowest level first, and what has been there longest of that. Each step takes constant time. */
export class BucketQueue<T> {
  /** In the order in which they came to the level. */
  readonly #buckets: (Set<T> | undefined)[] = [];
  readonly #bucketOf = new Map<T, number>();
  /** Nothing is on a lower level. */
  #lowest = 0;

  /**
   * Adds an item, or moves it to another level. On the one that it is on, it keeps its place.
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

  /** The item, if there is exactly one. */
  only(): T | undefined {
    const [item] = this.#bucketOf.size === 1 ? this.#bucketOf.keys() : [];
    return item;
  }

  /** Takes the next item out. */
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
