/** How many entries are added before the table is rebuilt. */
const renewAfter = 512;

/**
 * A `Map` for entries that come and go by the thousand.
 *
 * V8 moves a `Map` to a new table whenever the old one is written through, and lets each table point to the next. Once
 * an unused table is in the old generation, all later ones, and with them every call of the last seconds, survive until
 * the next full collection (see ADR 28). A map that is rebuilt now and then has no such chain: its few current entries
 * are copied, and nothing old points to them.
 */
export class RotatingMap<K, V> {
  #entries = new Map<K, V>();
  #added = 0;

  set(key: K, value: V): void {
    this.#added += 1;
    if (this.#added > Math.max(renewAfter, 2 * this.#entries.size)) {
      this.#added = 1;
      this.#entries = new Map(this.#entries);
    }
    this.#entries.set(key, value);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries = new Map();
  }

  /** A snapshot: later changes do not affect it. */
  values(): V[] {
    return [...this.#entries.values()];
  }
}
