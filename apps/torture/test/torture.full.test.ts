import { expect, test } from 'vitest';
import { runTorture } from './torture.ts';

test('whatever is killed, paused, cut off or restarted under load, three servers lose nothing', async () => {
  const { verdict, faults } = await runTorture({ durationMs: 70_000, nodes: 3, gapMs: 500 });
  expect(verdict).toMatchObject({ clean: true, conservation: 0, queued: 0, violations: [] });
  expect(verdict.counts.accepted).toBeGreaterThan(500);
  expect(new Set(faults.map(({ name }) => name)).size).toBeGreaterThanOrEqual(4);
}, 400_000);
