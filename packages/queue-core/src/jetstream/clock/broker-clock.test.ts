import { expect, test } from 'vitest';
import { BrokerClock } from './broker-clock.ts';

const hourMs = 3_600_000;
const noon = Date.parse('2026-11-29T12:00:00Z');

/** A process whose clock is off, and which the broker tells its time. */
function setup(offMs: number) {
  const seen = { passedMs: 0, offMs };
  const trueNow = (): number => noon + seen.passedMs;
  const monotonicNow = (): number => 5_000 + seen.passedMs;
  const clock = new BrokerClock({ now: () => trueNow() + seen.offMs, monotonicNow });
  /** A request and its answer. */
  const learn = (toBrokerMs = 0, backMs = 0, brokerOffMs = 0): void => {
    const askedAt = monotonicNow();
    seen.passedMs += toBrokerMs;
    const ts = new Date(trueNow() + brokerOffMs).toISOString();
    seen.passedMs += backMs;
    clock.note({ ts }, askedAt);
  };
  return { clock, seen, learn, errorMs: () => clock.now() - trueNow() };
}

test('until the broker has told its time, our own clock counts', () => {
  const { clock, errorMs } = setup(hourMs);
  expect(errorMs()).toBe(hourMs);
  clock.note({}, 0);
  clock.note({ ts: 'noon' }, 0);
  expect(errorMs()).toBe(hourMs);
});

test.each([hourMs, -hourMs, 60_000, -60_000])('a clock that is off by %i ms does not count', (offMs) => {
  const { clock, seen, learn, errorMs } = setup(offMs);
  learn(3, 4);
  for (const passedMs of [0, 4_000, hourMs]) {
    seen.passedMs += passedMs;
    // Never early, and late by no more than the answer took.
    expect(errorMs()).toBeGreaterThanOrEqual(0);
    expect(errorMs()).toBeLessThanOrEqual(7);
    expect(clock.aheadMs).toBe(offMs - errorMs());
  }
});

test.each([400, -400])(
  'a clock that is off by %i ms counts as far as the answer allows, and is not reported',
  (offMs) => {
    const { clock, learn, errorMs } = setup(offMs);
    learn(3, 4);
    expect(Math.abs(errorMs())).toBeLessThanOrEqual(7);
    expect(clock.aheadMs).toBe(0);
    learn(3_000, 3_000);
    expect(errorMs()).toBe(offMs);
  },
);

test('a clock that is right counts to the millisecond, however slow the broker was with its answer', () => {
  const { clock, seen, learn, errorMs } = setup(0);
  for (const [there, back] of [
    [0, 0],
    [30_000, 0],
    [0, 30_000],
    [700, 20_000],
  ] as const) {
    learn(there, back);
    seen.passedMs += 123;
    expect(errorMs()).toBe(0);
    expect(clock.aheadMs).toBe(0);
  }
});

test('a clock that jumps after the answer is noticed at once, and counts again when it is back', () => {
  const { seen, learn, errorMs } = setup(0);
  learn();
  seen.passedMs += 4_000;
  seen.offMs = hourMs;
  expect(errorMs()).toBe(0);
  seen.offMs = -hourMs;
  expect(errorMs()).toBe(0);
  seen.offMs = 0;
  expect(errorMs()).toBe(0);
});

test('if the clock of the broker is set, the next answer tells', () => {
  const { learn, errorMs } = setup(0);
  learn();
  learn(0, 0, -hourMs);
  expect(errorMs()).toBe(-hourMs);
  learn();
  expect(errorMs()).toBe(0);
});

test('it is a time in whole milliseconds', () => {
  const clock = new BrokerClock({ now: () => noon + hourMs, monotonicNow: () => 0.4 });
  clock.note({ ts: new Date(noon).toISOString() }, 0.1);
  expect(Number.isInteger(clock.now())).toBe(true);
});
