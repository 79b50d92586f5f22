import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { TallyCounter } from './tally-counter.ts';

test('counts appear at each read, and count once', async () => {
  const registry = new Registry();
  const calls = new TallyCounter(['queue_name'], { name: 'calls_total', help: 'Calls.', registers: [registry] });
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('calls_total'));
  expect(await lines()).toEqual([]);
  calls.inc('a');
  calls.inc('b');
  calls.inc('a');
  expect(await lines()).toEqual(['calls_total{queue_name="a"} 2', 'calls_total{queue_name="b"} 1']);
  calls.inc('b');
  expect(await lines()).toEqual(['calls_total{queue_name="a"} 2', 'calls_total{queue_name="b"} 2']);
  expect(await lines()).toEqual(['calls_total{queue_name="a"} 2', 'calls_total{queue_name="b"} 2']);
});

test('labels come in the order of their names', async () => {
  const registry = new Registry();
  const calls = new TallyCounter(['queue', 'code'], { name: 'calls_total', help: 'Calls.', registers: [registry] });
  calls.inc('a', '200');
  calls.inc('a', '503');
  calls.inc('a', '200');
  expect(await registry.metrics()).toContain(
    'calls_total{queue="a",code="200"} 2\ncalls_total{queue="a",code="503"} 1',
  );
});
