import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { TallyHistogram } from './tally-histogram.ts';

const labelNames = ['queue', 'code'] as const;
const config = { name: 'waits_seconds', help: 'Waits.', buckets: [0.1, 1, 10] };

/** Observed values, in whole tenths, so that sums are exact. */
const observations = fc.array(
  fc.record({ queue: fc.constantFrom('a', 'b"', ''), code: fc.constantFrom('200', '503'), value: fc.nat(200) }),
);

/** The sum of a primary process: without the exemplars, which neither has. */
async function toJson(registry: Registry) {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ values, ...metric }) => ({
    ...metric,
    values: values.map(({ labels, value, ...rest }) => ({
      labels,
      value,
      metricName: Object.values(rest).find(Boolean),
    })),
  }));
}

test('it shows the same as a histogram of prom-client', async () => {
  await fc.assert(
    fc.asyncProperty(observations, async (all) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const tally = new TallyHistogram(labelNames, { ...config, registers: [ours] });
      const histogram = new Histogram({ ...config, labelNames, registers: [theirs] });
      for (const { queue, code, value } of all) {
        tally.observe(value / 8, queue, code);
        histogram.observe({ queue, code }, value / 8);
      }
      expect(await ours.metrics()).toBe(await theirs.metrics());
      expect(await toJson(ours)).toEqual(await toJson(theirs));
    }),
  );
});

test('a value on a bound belongs to the bucket of that bound', async () => {
  const registry = new Registry();
  new TallyHistogram(['queue'], { ...config, registers: [registry] }).observe(0.1, 'a');
  expect(await registry.metrics()).toContain('waits_seconds_bucket{le="0.1",queue="a"} 1');
});
