import { Counter, type CounterConfiguration } from 'prom-client';

/**
 * Counts events that happen many thousand times a second, under one label. prom-client finds the series of a set of
 * labels by sorting and joining them, a microsecond each time; this counter passes its count on only when it is read.
 */
export class TallyCounter<Label extends string> {
  readonly #label: Label;
  readonly #counts = new Map<string, number>();

  constructor(label: Label, config: Omit<CounterConfiguration<Label>, 'labelNames' | 'collect'>) {
    this.#label = label;
    const handOver = (counter: Counter<Label>): void => this.#handOver(counter);
    new Counter<Label>({
      ...config,
      labelNames: [label],
      collect() {
        handOver(this);
      },
    });
  }

  inc(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  #handOver(counter: Counter<Label>): void {
    for (const [value, count] of this.#counts) {
      counter.inc({ [this.#label]: value } as Record<Label, string>, count);
    }
    this.#counts.clear();
  }
}
