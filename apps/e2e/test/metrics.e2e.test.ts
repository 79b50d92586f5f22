import { readFileSync } from 'node:fs';
import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startBusyStack } from './harness/busy-stack.ts';
import { readDocumentedMetrics } from './harness/documents/documented-metrics.ts';
import { type Family, parseExposition } from './harness/documents/exposition.ts';
import { startStack } from './harness/stack.ts';

const documented = readDocumentedMetrics();

/**
 * Metrics that move only if something is badly wrong, or if many clients are slow, and the test that makes them move.
 */
const movedElsewhere = new Map([
  ['queue_worker_retries_deferred_total', 'full-broker.full.test.ts'],
  ['queue_worker_outcomes_lost_total', 'full-broker.full.test.ts'],
  ['queue_worker_conservation_drift', 'conservation.faults.test.ts'],
  ['gateway_result_bytes', 'results-memory.full.test.ts'],
  ['gateway_body_store_bytes', 'large-bodies.faults.test.ts'],
  ['gateway_body_store_limit_bytes', 'large-bodies.faults.test.ts'],
  ['gateway_streams_lost_total', 'lost-streams.faults.test.ts'],
  ['queue_worker_streams_lost_total', 'lost-streams.faults.test.ts'],
]);

function labelsOf({ samples, type }: Family): string[] {
  const names = samples.flatMap(({ labels }) => Object.keys(labels));
  return [...new Set(names)].filter((name) => type !== 'histogram' || name !== 'le').toSorted();
}

test('every documented metric is exported as documented and moves under load, and no other is', async () => {
  await using busy = await startBusyStack(startStack);
  const { stack } = busy;
  const moved = new Map<string, Family>();
  const exported = { gateway: new Map<string, Family>(), worker: new Map<string, Family>() };
  const look = async (): Promise<void> => {
    for (const app of ['gateway', 'worker'] as const) {
      exported[app] = parseExposition((await stack[app].ops('/metrics')).body);
      for (const family of exported[app].values()) {
        if (family.samples.some(({ value, name }) => value !== 0 && !name.endsWith('_bucket'))) {
          moved.set(family.name, family);
        }
      }
    }
  };
  const names = documented.map(({ name }) => name);
  const toMove = names.filter((name) => !movedElsewhere.has(name) && !name.endsWith('_reconnect_total'));
  await eventually(async () => {
    await look();
    expect(toMove.filter((name) => !moved.has(name))).toEqual([]);
    return true;
  });

  const own = [...exported.gateway.values(), ...exported.worker.values()].map(({ name }) => name);
  expect(own.filter((name) => !/^(process|nodejs)_/.test(name)).toSorted()).toEqual(names.toSorted());
  for (const { app, name, type, labels } of documented) {
    expect(exported[app].get(name), name).toMatchObject({ type });
    if (moved.has(name)) {
      expect(labelsOf(moved.get(name)!), name).toEqual(labels.toSorted());
    }
  }
  for (const app of ['gateway', 'worker'] as const) {
    expect([...exported[app].keys()]).toEqual(
      expect.arrayContaining([
        'process_cpu_seconds_total',
        'process_resident_memory_bytes',
        'nodejs_eventloop_lag_seconds',
      ]),
    );
  }

  await stack.nats.restart();
  await eventually(async () => {
    await look();
    return names.every((name) => !name.endsWith('_reconnect_total') || moved.has(name));
  });
});

test('each metric that moves only if something is wrong is moved by a test of that', () => {
  for (const [name, file] of movedElsewhere) {
    expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toContain(name);
  }
});
