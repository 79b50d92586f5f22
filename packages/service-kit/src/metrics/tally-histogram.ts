import type {
  Histogram,
  HistogramConfiguration,
  MetricObjectWithValues,
  MetricType,
  MetricValueWithName,
} from 'prom-client';
import { SeriesMap } from './series-map.ts';

interface TallyHistogramConfiguration<Label extends string>
  extends Required<Pick<HistogramConfiguration<Label>, 'name' | 'help' | 'registers'>> {
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

interface Tally {
  /** Observations in each bucket alone, and last those above all of them. */
  readonly counts: number[];
  sum: number;
}

/** The type as prom-client writes it; its declaration has a number instead. */
const histogramType = 'histogram' as unknown as MetricType;

type Values<Label extends string> = MetricObjectWithValues<MetricValueWithName<Label>>['values'];

/**
 * A histogram of what happens many thousand times a second: like `TallyCounter`, it finds its series without building a
 * key, and adds up its buckets only when it is read. A registry reads it as it reads prom-client's own.
 */
export class TallyHistogram<Label extends string> {
  readonly #labelNames: readonly Label[];
  readonly #config: TallyHistogramConfiguration<Label>;
  readonly #series: SeriesMap<Tally>;

  constructor(labelNames: readonly Label[], config: TallyHistogramConfiguration<Label>) {
    this.#labelNames = labelNames;
    this.#config = config;
    this.#series = new SeriesMap(() => ({ counts: new Array<number>(config.buckets.length + 1).fill(0), sum: 0 }));
    const { name, help } = config;
    const metric = { name, help, type: histogramType, aggregator: 'sum', get: () => this.get(), reset: () => {} };
    for (const registry of config.registers) {
      registry.registerMetric(metric as unknown as Histogram<Label>);
    }
  }

  /** @param labels values in the order of the names */
  observe(value: number, ...labels: readonly string[]): void {
    const tally = this.#series.at(labels);
    const { buckets } = this.#config;
    let index = 0;
    while (index < buckets.length && value > (buckets[index] ?? 0)) {
      index += 1;
    }
    tally.counts[index] = (tally.counts[index] ?? 0) + 1;
    tally.sum += value;
  }

  async get(): Promise<Omit<MetricObjectWithValues<MetricValueWithName<Label>>, 'collect'>> {
    const { name, help } = this.#config;
    const values = [...this.#series].flatMap(([labels, tally]) => this.#toValues(labels, tally));
    return { name, help, type: histogramType, aggregator: 'sum', values };
  }

  #toValues(labels: readonly string[], { counts, sum }: Tally): Values<Label> {
    const own = Object.fromEntries(this.#labelNames.map((label, index) => [label, labels[index] ?? '']));
    const { name, buckets } = this.#config;
    let count = 0;
    const values = counts.map((inBucket, index) => {
      count += inBucket;
      return { metricName: `${name}_bucket`, labels: { le: buckets[index] ?? '+Inf', ...own }, value: count };
    });
    const totals = [
      { metricName: `${name}_sum`, labels: own, value: sum },
      { metricName: `${name}_count`, labels: own, value: count },
    ];
    return [...values, ...totals] as Values<Label>;
  }
}
