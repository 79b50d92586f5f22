/** So many entries are added before the table is made anew. */
const renewAfter = 512;

/**
 * A `Map` for what comes and goes by the thousand.
 *
 * V8 moves a `Map` to a new table whenever the old one is written through, and lets each table point to the next. Once a
 * table that is no longer used has got into the old generation, all further ones, and with them every call of the last
 * seconds, survive until the next full collection (see ADR 28). A map that is made anew now and then has no such chain:
 * the few entries that are there at the time are copied, and nothing old points to them.
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

  /** As they are now: what comes or goes while they are looked at makes no difference. */
  values(): V[] {
    return [...this.#entries.values()];
  }
}
