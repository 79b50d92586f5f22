import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StartPool, type Use } from './start-pool.ts';

const rate = { count: 20, periodMs: 1_000 };

function poolOf(held: number): StartPool {
  const pool = new StartPool(rate);
  pool.add(held);
  return pool;
}

test('a start can be used again a period after the function has answered', () => {
  const pool = poolOf(1);
  const use = pool.take(0);
  expect(pool.cold(5_000)).toBe(0);
  pool.sent(use, 5_000);
  pool.ended(use, 5_010);
  expect([pool.cold(6_009), pool.cold(6_010)]).toEqual([0, 1]);
});

test('if the function takes long, it counts as used 50 ms after the request was sent', () => {
  const pool = poolOf(1);
  const use = pool.take(0);
  pool.sent(use, 10);
  expect([pool.nextColdAt, pool.cold(1_059), pool.cold(1_060)]).toEqual([1_060, 0, 1]);
  pool.ended(use, 9_000);
  expect(pool.cold(9_000)).toBe(1);
});

test('a request that is sent a second time counts by that', () => {
  const pool = poolOf(1);
  const use = pool.take(0);
  pool.sent(use, 0);
  pool.sent(use, 30);
  expect([pool.cold(1_079), pool.cold(1_080)]).toEqual([0, 1]);
});

test('a start that was not used is cold at once', () => {
  const pool = poolOf(1);
  const use = pool.take(0);
  pool.release(use);
  pool.release(use);
  pool.ended(use, 0);
  expect([pool.cold(0), pool.open, pool.held]).toEqual([1, 0, 1]);
});

test('it gives up cold starts first, then hot ones with their times, and never open ones', () => {
  const pool = poolOf(4);
  const [first, second] = [pool.take(0), pool.take(0)];
  pool.ended(first, 100);
  pool.ended(second, 200);
  pool.take(200);
  expect(pool.keep(3, 300)).toEqual([]);
  expect([pool.held, pool.cold(300)]).toEqual([3, 0]);
  expect(pool.keep(2, 300)).toEqual([100]);
  expect(pool.keep(0, 300)).toEqual([200]);
  expect([pool.held, pool.open]).toEqual([1, 1]);
});

test('starts that stay hot for long are given up', () => {
  const pool = poolOf(2);
  const [first, second] = [pool.take(0), pool.take(0)];
  pool.ended(first, 100);
  pool.ended(second, 700);
  expect(pool.giveUpHot(300, 800)).toEqual([700]);
  expect([pool.held, pool.cold(1_100)]).toEqual([1, 1]);
});

test('spare is what was not needed since the last look', () => {
  const pool = poolOf(3);
  pool.watchSpare(0);
  const use = pool.take(10);
  pool.take(20);
  pool.release(use);
  expect(pool.spare(30)).toBe(1);
  pool.watchSpare(30);
  expect(pool.spare(30)).toBe(2);
});

interface Moment {
  readonly now: number;
  readonly times: number[];
  readonly open: Use[];
}

/** Everything that can be done to a pool; `which` of the open uses it is done to. */
const acts: Readonly<Record<string, (pool: StartPool, moment: Moment, which: number) => void>> = {
  take(pool, { now, open }) {
    if (pool.cold(now) > 0) {
      open.push(pool.take(now));
    }
  },
  send(pool, { now, times, open }, which) {
    const use = open[which];
    if (use?.at === Number.POSITIVE_INFINITY) {
      pool.sent(use, now);
      times.push(now);
    }
  },
  end(pool, { now, open }, which) {
    const [use] = open.splice(which, 1);
    if (use !== undefined) {
      pool.ended(use, now);
    }
  },
  release(pool, { open }, which) {
    const use = open[which];
    if (use !== undefined) {
      pool.release(use);
    }
  },
  wait: () => {},
};

const act = fc.record({ kind: fc.constantFrom(...Object.keys(acts)), which: fc.nat(3), ms: fc.nat(400) });

test('in no period are more starts used than it has, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (all) => {
      const pool = poolOf(3);
      const [times, open]: [number[], Use[]] = [[], []];
      let now = 0;
      for (const { kind, which, ms } of all) {
        now += kind === 'wait' ? ms : 0;
        acts[kind]?.(pool, { now, times, open }, which);
        expect(pool.cold(now)).toBeGreaterThanOrEqual(0);
        expect(times.filter((at) => at > now - rate.periodMs).length).toBeLessThanOrEqual(3);
      }
    }),
  );
});
