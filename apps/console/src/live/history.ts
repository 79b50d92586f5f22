/** Samples of several series over time, oldest first; as many as fit, so that the page's memory is bounded. */
export class History {
  readonly #most: number;
  readonly #gapMs: number;
  #times: number[] = [];
  #series: (number | null)[][];

  /**
   * @param series number of series
   * @param most number of samples that are kept
   * @param gapMs samples that are further apart are not joined by a line, in milliseconds
   */
  constructor(series: number, { most = 300, gapMs = 15_000 } = {}) {
    this.#most = most;
    this.#gapMs = gapMs;
    this.#series = Array.from({ length: series }, () => []);
  }

  /** @param atMs Unix time in milliseconds */
  add(atMs: number, values: readonly number[]): void {
    const last = this.#times.at(-1);
    if (last !== undefined && atMs - last * 1000 > this.#gapMs) {
      this.#push(
        last + 0.001,
        this.#series.map(() => null),
      );
    }
    this.#push(atMs / 1000, values);
  }

  /** Unix times in seconds, then the values of each series at these times: the form that uPlot draws. */
  get data(): [number[], ...(number | null)[][]] {
    return [this.#times, ...this.#series];
  }

  #push(time: number, values: readonly (number | null)[]): void {
    this.#times = [...this.#times, time].slice(-this.#most);
    this.#series = this.#series.map((series, at) => [...series, values[at] ?? null].slice(-this.#most));
  }
}
