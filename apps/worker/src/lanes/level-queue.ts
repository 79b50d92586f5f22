/** Hands out what is on the lowest level first, and what has been there longest of that. Each step takes constant time. */
export class LevelQueue<T> {
  /** In the order in which they came to the level. */
  readonly #levels: (Set<T> | undefined)[] = [];
  readonly #levelOf = new Map<T, number>();
  /** Nothing is on a lower level. */
  #lowest = 0;

  /**
   * Adds an item, or moves it to another level. On the one that it is on, it keeps its place.
   *
   * @param level a whole number from 0
   */
  put(item: T, level: number): void {
    if (this.#levelOf.get(item) === level) {
      return;
    }
    this.delete(item);
    this.#levelOf.set(item, level);
    this.#levels[level] = (this.#levels[level] ?? new Set()).add(item);
    this.#lowest = Math.min(this.#lowest, level);
  }

  delete(item: T): void {
    const level = this.#levelOf.get(item);
    if (level !== undefined) {
      this.#levelOf.delete(item);
      this.#levels[level]?.delete(item);
    }
  }

  /** The item, if there is exactly one. */
  only(): T | undefined {
    const [item] = this.#levelOf.size === 1 ? this.#levelOf.keys() : [];
    return item;
  }

  /** Takes the next item out. */
  shift(): { readonly item: T; readonly level: number } | undefined {
    for (; this.#lowest < this.#levels.length; this.#lowest++) {
      for (const item of this.#levels[this.#lowest] ?? []) {
        this.delete(item);
        return { item, level: this.#lowest };
      }
    }
    return undefined;
  }
}
