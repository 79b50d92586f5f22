import { expect, test } from 'vitest';
import { allFaults } from '../src/faults/schedule.ts';
import { paceFor } from '../src/rig/rig.ts';
import { expectClean, runTorture } from './torture.ts';

test('whatever is killed, paused, cut off or restarted under load, three servers lose nothing', async () => {
  // A rolling restart may take the whole time by itself.
  const kinds = allFaults.map(({ name }) => name).filter((name) => name !== 'rolling restart');
  const result = await runTorture({
    durationMs: 50_000,
    nodes: 3,
    gapMs: 500,
    rate: 60,
    faults: kinds,
    pace: paceFor(60),
  });
  expectClean(result);
  const { verdict, faults } = result;
  expect(verdict.counts.accepted).toBeGreaterThan(300);
  expect(new Set(faults.map(({ name }) => name)).size).toBeGreaterThanOrEqual(4);
}, 400_000);
