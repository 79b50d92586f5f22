/** Batches of one caller that may be in acceptance at once. */
const defaultMax = 4;

/** Limits the batches of each caller that are being accepted: each holds some of the room for bodies. */
export class BatchPlaces {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max = defaultMax) {
    this.#max = max;
  }

  /** A place until it is disposed; undefined if the caller has as many as it may. Callers without a name are not limited. */
  take(caller: string | undefined): Disposable | undefined {
    if (caller === undefined) {
      return { [Symbol.dispose]: () => undefined };
    }
    const count = this.#counts.get(caller) ?? 0;
    if (count >= this.#max) {
      return undefined;
    }
    this.#counts.set(caller, count + 1);
    return { [Symbol.dispose]: () => this.#leave(caller) };
  }

  #leave(caller: string): void {
    const count = (this.#counts.get(caller) ?? 1) - 1;
    if (count === 0) {
      this.#counts.delete(caller);
    } else {
      this.#counts.set(caller, count);
    }
  }
}
