/** Half of what the publisher has waiting for the broker at once. */
const defaultMax = 4_096;

/**
 * Counts the calls of each caller that are being stored. One caller may not have so many that those of others are refused:
 * the publisher takes 8,192 in all.
 */
export class StoringShare {
  readonly #max: number;
  /** By the callers that have ever stored a call: they are few, since each has a token. */
  readonly #counts = new Map<string, number>();

  constructor(max = defaultMax) {
    this.#max = max;
  }

  /** Whether one more call of the caller may be stored. If so, it counts until `end`. Callers without a name are not counted. */
  begin(caller: string | undefined): boolean {
    const count = this.#countOf(caller);
    if (caller === undefined || count >= this.#max) {
      return caller === undefined;
    }
    this.#counts.set(caller, count + 1);
    return true;
  }

  /** The call is stored, or not: in any case it waits no longer. */
  end(caller: string | undefined): void {
    if (caller !== undefined) {
      this.#counts.set(caller, this.#countOf(caller) - 1);
    }
  }

  #countOf(caller: string | undefined): number {
    return caller === undefined ? 0 : (this.#counts.get(caller) ?? 0);
  }
}
