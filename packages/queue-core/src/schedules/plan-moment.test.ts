import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueAtOf, type MomentPlan, planMoment } from './plan-moment.ts';
import type { ScheduleSettings } from './schedule-settings.ts';
import { timesOf } from './times.ts';

const createdAt = Date.parse('2026-01-01T00:00:00Z');
const second = 1_000;
const minute = 60 * second;

function schedule(settings: Partial<ScheduleSettings> = {}) {
  return { name: 'tick', createdAt, settings: { function: 'f', every: '1m', ...settings } };
}

/** The moments that are fired when workers come back at `now` and deal with one moment after the other. */
function firedBy(settings: Partial<ScheduleSettings>, now: number): number[] {
  const of = schedule(settings);
  const fired: number[] = [];
  for (let at: number | undefined = createdAt + minute; at !== undefined; ) {
    const plan: MomentPlan = planMoment(of, at, now);
    if (plan.kind === 'wait') {
      break;
    }
    if (plan.kind === 'fire') {
      fired.push((plan.at - createdAt) / minute);
      at = timesOf(of.settings, createdAt).next(plan.at);
    } else {
      at = plan.next;
    }
  }
  return fired;
}

describe('after an outage of three periods', () => {
  const now = createdAt + 3 * minute + 10 * second;

  test.each<[ScheduleSettings['catchUp'], number[]]>([
    ['none', []],
    ['latest', [3]],
    [undefined, [3]],
    ['all', [1, 2, 3]],
  ])('catchUp %s makes up for %j', (catchUp, moments) => {
    expect(firedBy({ ...(catchUp && { catchUp }) }, now)).toEqual(moments);
  });

  test.each<[ScheduleSettings['catchUp'], number[]]>([
    ['none', [4]],
    ['latest', [4]],
    ['all', [1, 2, 3, 4]],
  ])('a moment that is at most 5 s late is not missed: catchUp %s makes %j', (catchUp, moments) => {
    expect(firedBy({ ...(catchUp && { catchUp }) }, createdAt + 4 * minute + 5 * second)).toEqual(moments);
  });

  test('moments that are later than the window are not made up for', () => {
    expect(firedBy({ catchUp: 'all', catchUpWindow: '80s' }, now)).toEqual([2, 3]);
    expect(firedBy({ catchUp: 'latest', catchUpWindow: '5s' }, now)).toEqual([]);
    expect(firedBy({ catchUp: 'all' }, createdAt + 70 * minute + 10 * second)).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 11),
    );
  });

  test('all makes up for a bounded number of moments', () => {
    const settings = { every: '1s', catchUp: 'all', catchUpWindow: '7d' } as const;
    expect(firedBy(settings, createdAt + 100 * 60 * minute).length).toBeLessThanOrEqual(1_002);
  });

  test('the moments that are passed over are counted', () => {
    expect(planMoment(schedule({ catchUp: 'latest' }), createdAt + minute, now)).toMatchObject({ missed: 2 });
    const none = planMoment(schedule({ catchUp: 'none' }), createdAt + minute, now);
    expect(none).toEqual({ kind: 'skip', next: createdAt + 4 * minute, missed: 3 });
  });
});

test('a moment that is not due by the clock of the broker is waited for', () => {
  expect(planMoment(schedule(), createdAt + minute, createdAt + 50 * second)).toEqual({ kind: 'wait', waitMs: 10_000 });
  expect(planMoment(schedule(), createdAt + minute, createdAt + minute - 500)).toMatchObject({ kind: 'fire' });
});

test('jitter is the same in every process, spread, and leaves the moments in their order', () => {
  const of = schedule({ jitter: '1h' });
  const delays = Array.from({ length: 500 }, (_, index) => {
    const at = createdAt + (index + 1) * minute;
    return dueAtOf(of, at) - at;
  });
  expect(delays).toEqual(
    delays.map((_, index) => dueAtOf(of, createdAt + (index + 1) * minute) - createdAt - (index + 1) * minute),
  );
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...delays)).toBeLessThan(minute);
  expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(50 * second);
  expect(dueAtOf(schedule(), createdAt + minute)).toBe(createdAt + minute);
});

test('whatever the settings and the outage, a plan fires moments of the schedule that are due, and goes forward', () => {
  const settings = fc.record({
    every: fc.constantFrom('1s', '10s', '7m'),
    catchUp: fc.constantFrom('none' as const, 'latest' as const, 'all' as const),
    catchUpWindow: fc.constantFrom('0s', '4s', '1m', '1h', '7d'),
    jitter: fc.constantFrom('0s', '3s', '1h'),
  });
  fc.assert(
    fc.property(
      settings,
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: 0, max: 10_000_000 }),
      (own, n, lateMs) => {
        const of = schedule(own);
        const times = timesOf(of.settings, createdAt);
        const at = times.next(createdAt + n * 1_000) ?? 0;
        const now = dueAtOf(of, at) + lateMs;
        const plan = planMoment(of, at, now);
        const moment = plan.kind === 'fire' ? plan.at : plan.kind === 'skip' ? (plan.next ?? 0) : 0;
        expect(moment).toBeGreaterThanOrEqual(at);
        expect(times.next(moment - 1)).toBe(moment);
        expect(dueAtOf(of, moment) <= now).toBe(plan.kind === 'fire');
        if (plan.kind === 'fire' && own.catchUp === 'none') {
          expect(now - dueAtOf(of, plan.at)).toBeLessThanOrEqual(5_000);
        }
      },
    ),
  );
});
