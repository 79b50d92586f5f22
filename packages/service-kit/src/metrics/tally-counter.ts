import { Counter, type CounterConfiguration } from 'prom-client';
import { SeriesMap } from './series-map.ts';

/**
 * Counts events that happen many thousand times a second. prom-client finds the series of a set of labels by sorting
 * and joining them, a microsecond each time; this counter passes its counts on only when it is read.
 */
export class TallyCounter<Label extends string> {
  readonly #series = new SeriesMap(() => ({ count: 0 }));

  constructor(labelNames: readonly Label[], config: Omit<CounterConfiguration<Label>, 'labelNames' | 'collect'>) {
    const series = this.#series;
    new Counter<Label>({
      ...config,
      labelNames,
      collect() {
        for (const [labels, tally] of series) {
          this.labels(...labels).inc(tally.count);
          tally.count = 0;
        }
      },
    });
  }

  /** @param labels values in the order of the names */
  inc(...labels: readonly string[]): void {
    this.#series.at(labels).count += 1;
  }
}
