import { createRandom, jainIndex } from '@asyncfn/testkit';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { type ModelRunOptions, modelRun } from './model-run.ts';

// Minutes of virtual time take seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

/** Durations that vary evenly around a mean, by a share of it. */
function around(meanMs: number, spread = 0.3): (random: () => number) => number {
  return (random) => meanMs * (1 - spread + 2 * spread * random());
}

describe('1,500 calls of 200 ms at a function that takes 50 at once', () => {
  test.each([
    ['all as long as one another', 0],
    ['of uneven length', 0.3],
  ])('%s end within 1.15 times the ideal with at most 3 in 100 requests rejected', (_, spread) => {
    for (let seed = 1; seed <= 10; seed++) {
      const run = modelRun({
        target: { capacity: () => 50, durationMs: around(200, spread) },
        calls: 1_500,
        untilMs: 60_000,
        random: createRandom(seed),
      });
      expect(run.doneAtMs).toBeLessThan(1.15 * 6_000);
      expect(run.rejections / run.requests).toBeLessThan(0.03);
    }
  });
});

test('the limit follows a capacity of 10, then 50, then 20 within 2 s, with less than 5 in 100 requests rejected', () => {
  for (let seed = 1; seed <= 10; seed++) {
    let raisedAt = Number.POSITIVE_INFINITY;
    let loweredAt = Number.POSITIVE_INFINITY;
    const offset = seed * 100; // at another moment between two probes each time
    const run = modelRun({
      target: {
        capacity: (now) => (now < 4_000 + offset ? 10 : now < 8_000 ? 50 : 20),
        durationMs: around(200),
      },
      untilMs: 12_000,
      random: createRandom(seed),
      onSample(now, [worker]) {
        const limit = worker?.limit ?? 0;
        if (now >= 4_000 + offset && limit >= 45) {
          raisedAt = Math.min(raisedAt, now);
        }
        if (now >= 8_000 && limit <= 21) {
          loweredAt = Math.min(loweredAt, now);
        }
      },
    });
    expect(raisedAt - 4_000 - offset).toBeLessThan(2_000);
    expect(loweredAt - 8_000).toBeLessThan(2_000);
    expect(run.rejections / run.requests).toBeLessThan(0.05);
  }
});

test.each([
  ['two workers', [0, 0]],
  ['three workers', [0, 0, 0]],
  ['two workers, of which one comes later', [0, 5_000]],
  ['three workers that come one after the other', [0, 10_000, 20_000]],
])('%s draw near to equal shares of what a function takes', (_, workersStartAt) => {
  for (let seed = 1; seed <= 3; seed++) {
    const held = workersStartAt.map(() => 0);
    let samples = 0;
    const run = modelRun({
      target: { capacity: () => 50, durationMs: around(200) },
      workersStartAt,
      untilMs: 120_000,
      random: createRandom(seed),
      onSample(now, workers) {
        if (now > 40_000) {
          samples += 1;
          for (const [index, { atFunction }] of workers.entries()) {
            held[index] = (held[index] ?? 0) + atFunction;
          }
        }
      },
    });
    const shares = held.map((sum) => sum / samples);
    const total = shares.reduce((sum, share) => sum + share);
    expect(total).toBeGreaterThan(0.9 * 50);
    expect(jainIndex(shares)).toBeGreaterThan(0.9);
    expect(run.rejections / run.requests).toBeLessThan(0.03);
  }
});

test('a function is used fully, and not overloaded, whatever it takes and for however long', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 20, max: 2_000 }),
      fc.integer({ min: 0, max: 50 }),
      fc.nat(),
      (capacity, callMs, rejectionMs, seed) => {
        const untilMs = 20_000 + 10 * callMs;
        const run = modelRun({
          target: { capacity: () => capacity, durationMs: around(callMs), rejectionMs },
          untilMs,
          slots: 1_000,
          random: createRandom(seed),
        });
        const ideal = (capacity * untilMs) / callMs;
        expect(run.done).toBeGreaterThan(0.75 * ideal);
        // A burst at the beginning, and one a second to find out how much the function takes.
        expect(run.rejections).toBeLessThan(capacity + 20 + untilMs / 1_000 + 0.01 * run.requests);
      },
    ),
    { numRuns: 25 },
  );
});

test('a function that is down is not stormed', () => {
  const down: ModelRunOptions = {
    target: { capacity: () => 0, durationMs: () => 0 },
    untilMs: 60_000,
    random: createRandom(1),
  };
  expect(modelRun(down).requests).toBeLessThan(1_000);
});
