/** Half of the messages that the publisher lets wait for the broker. */
const defaultMax = 4_096;

/**
 * Limits the calls of each caller that are being stored, so that one caller cannot cause refusals for others: the
 * publisher accepts 8,192 in total.
 */
export class StoringShare {
  readonly #max: number;
  /** By caller, for all that have ever stored a call: they are few, because each has a token. */
  readonly #counts = new Map<string, number>();

  constructor(max = defaultMax) {
    this.#max = max;
  }

  /**
   * Whether another call of the caller may be stored. If so, it counts until `end`. Callers without a name do not
   * count.
   */
  begin(caller: string | undefined): boolean {
    const count = this.#countOf(caller);
    if (caller === undefined || count >= this.#max) {
      return caller === undefined;
    }
    this.#counts.set(caller, count + 1);
    return true;
  }

  /** The call is stored or refused, so it no longer counts. */
  end(caller: string | undefined): void {
    if (caller !== undefined) {
      this.#counts.set(caller, this.#countOf(caller) - 1);
    }
  }

  #countOf(caller: string | undefined): number {
    return caller === undefined ? 0 : (this.#counts.get(caller) ?? 0);
  }
}
