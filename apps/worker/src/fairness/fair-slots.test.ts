import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Claim, FairSlots, type Release } from './fair-slots.ts';
import type { Responsiveness } from './responsiveness.ts';

const { signal } = new AbortController();

/** A claim to the shares of these keys, of `max` slots each. */
function claim(responsiveness: Responsiveness, max: number, ...keys: string[]): Claim {
  return { responsiveness, shares: keys.map((key) => ({ key, max, responsiveness })) };
}

/** Takes slots until none is free; returns those that were taken. */
async function takeAll(slots: FairSlots, of: Claim): Promise<Release[]> {
  const taken: Release[] = [];
  for (let next = await slots.take(of, 0, signal); next !== undefined; next = await slots.take(of, 0, signal)) {
    taken.push(next);
  }
  return taken;
}

describe('slots', () => {
  test('of one share are no more than its size, and others still get theirs', async () => {
    const slots = new FairSlots(10);
    const [first] = await takeAll(slots, claim('answering', 2, 'a'));
    expect(slots.taken).toBe(2);
    expect(await takeAll(slots, claim('answering', 2, 'b'))).toHaveLength(2);
    first?.();
    expect(await takeAll(slots, claim('answering', 2, 'a'))).toHaveLength(1);
  });

  test('of all shares together are no more than the total', async () => {
    const slots = new FairSlots(2);
    expect(await takeAll(slots, claim('answering', 5, 'a'))).toHaveLength(2);
    expect(await takeAll(slots, claim('answering', 5, 'b'))).toEqual([]);
    expect(slots.free).toBe(0);
  });

  test('need room in each share that a claim names', async () => {
    const slots = new FairSlots(10);
    await takeAll(slots, claim('answering', 3, 'submitter', 'host'));
    expect(await takeAll(slots, claim('answering', 3, 'submitter', 'another host'))).toEqual([]);
    expect(await takeAll(slots, claim('answering', 3, 'another submitter', 'host'))).toEqual([]);
    expect(await takeAll(slots, claim('answering', 3, 'another submitter', 'another host'))).toHaveLength(3);
  });

  test.each<[Responsiveness, number]>([
    ['hanging', 3],
    ['unknown', 5],
    ['answering', 10],
  ])('are kept for those who answer: one that is %s gets %d of ten', async (responsiveness, count) => {
    expect(await takeAll(new FairSlots(10), claim(responsiveness, 100, 'a'))).toHaveLength(count);
    expect(await takeAll(new FairSlots(100), claim(responsiveness, 10, 'a'))).toHaveLength(count);
  });

  test('that hang count against unknown receivers, and not against those that answer', async () => {
    const slots = new FairSlots(12);
    expect(await takeAll(slots, claim('hanging', 12, 'a'))).toHaveLength(3);
    expect(await takeAll(slots, claim('unknown', 12, 'b'))).toHaveLength(3);
    expect(await takeAll(slots, claim('answering', 12, 'c'))).toHaveLength(6);
  });

  test.each<Responsiveness>(['hanging', 'unknown', 'answering'])(
    'are never zero for one that is %s',
    async (responsiveness) => {
      expect(await takeAll(new FairSlots(1), claim(responsiveness, 1, 'a'))).toHaveLength(1);
    },
  );
});

describe('a request without a free slot', () => {
  test('gets the next one, in the order of coming', async () => {
    const slots = new FairSlots(1);
    const [held] = await takeAll(slots, claim('answering', 1, 'a'));
    const granted: string[] = [];
    const first = slots.take(claim('answering', 1, 'a'), 60_000, signal).then((release) => {
      granted.push('first');
      return release;
    });
    const second = slots.take(claim('answering', 1, 'a'), 60_000, signal).then(() => granted.push('second'));
    held?.();
    (await first)?.();
    await second;
    expect(granted).toEqual(['first', 'second']);
    expect(slots.taken).toBe(1);
  });

  test('goes before those whose share holds more', async () => {
    const slots = new FairSlots(3);
    const releases = await takeAll(slots, claim('answering', 3, 'greedy'));
    const granted: string[] = [];
    const wait = (key: string): Promise<unknown> =>
      slots.take(claim('answering', 3, key), 60_000, signal).then(() => granted.push(key));
    const waits = [wait('greedy'), wait('greedy'), wait('modest')];
    await new Promise(setImmediate);
    for (const release of releases) {
      release();
    }
    await Promise.all(waits);
    expect(granted[0]).toBe('modest');
  });

  test('takes turns with those whose shares hold as much', async () => {
    const slots = new FairSlots(1);
    const [held] = await takeAll(slots, claim('answering', 1, 'x'));
    const granted: string[] = [];
    const waits = ['a', 'a', 'b', 'b'].map(async (key) => {
      const release = await slots.take(claim('answering', 1, key), 60_000, signal);
      granted.push(key);
      release?.();
    });
    held?.();
    await Promise.all(waits);
    expect(granted).toEqual(['a', 'b', 'a', 'b']);
  });

  test('is served together with others if one slot makes room for several', async () => {
    const slots = new FairSlots(10);
    const shared = { responsiveness: 'answering' as const, max: 1 };
    const claims = {
      both: {
        responsiveness: shared.responsiveness,
        shares: [
          { ...shared, key: 'a' },
          { ...shared, key: 'b' },
        ],
      },
      a: { responsiveness: shared.responsiveness, shares: [{ ...shared, key: 'a' }] },
      b: { responsiveness: shared.responsiveness, shares: [{ ...shared, key: 'b' }] },
    };
    const [release] = await takeAll(slots, claims.both);
    const waits = [slots.take(claims.a, 60_000, signal), slots.take(claims.b, 60_000, signal)];
    release?.();
    expect(await Promise.all(waits)).toEqual([expect.any(Function), expect.any(Function)]);
  });

  test('waits no longer than it may, and takes nothing after that', async () => {
    const slots = new FairSlots(1);
    const [held] = await takeAll(slots, claim('answering', 1, 'a'));
    expect(await slots.take(claim('answering', 1, 'a'), 20, signal)).toBeUndefined();
    held?.();
    expect(slots.taken).toBe(0);
  });

  test.each<[Responsiveness, number]>([
    ['answering', 20],
    ['unknown', 10],
  ])(
    'that is %s is sent away at once when %d of its share wait, and others may still wait',
    async (responsiveness, count) => {
      const slots = new FairSlots(100);
      const stop = new AbortController();
      setMaxListeners(0, stop.signal);
      await takeAll(slots, claim(responsiveness, 2, 'a'));
      const waiting = Array.from({ length: count }, () =>
        slots.take(claim(responsiveness, 2, 'a'), 60_000, stop.signal),
      );
      expect(await slots.take(claim(responsiveness, 2, 'a'), 60_000, stop.signal)).toBeUndefined();
      expect(await takeAll(slots, claim('answering', 2, 'b'))).toHaveLength(2);
      stop.abort();
      expect(await Promise.all(waiting)).toEqual(waiting.map(() => undefined));
    },
  );

  test('waits no more when its signal aborts, and not at all once it has', async () => {
    const slots = new FairSlots(1);
    const stop = new AbortController();
    await takeAll(slots, claim('answering', 1, 'a'));
    const waiting = slots.take(claim('answering', 1, 'a'), 60_000, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await slots.take(claim('answering', 1, 'a'), 60_000, stop.signal)).toBeUndefined();
  });
});

test('whatever comes, waits and goes: no limit is exceeded, and no request waits for a free slot', async () => {
  const values: Responsiveness[] = ['answering', 'unknown', 'hanging'];
  const command = fc.record({
    submitter: fc.constantFrom('x', 'y'),
    host: fc.constantFrom('a', 'b', 'c'),
    responsiveness: fc.constantFrom(...values),
    take: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
      const slots = new FairSlots(6);
      const held: { submitter: string; host: string; responsiveness: Responsiveness; release: Release }[] = [];
      const waiting = new Set<{ submitter: string; host: string; responsiveness: Responsiveness }>();
      const stop = new AbortController();
      setMaxListeners(0, stop.signal);
      const allow = (asked: number, responsiveness: Responsiveness): number =>
        responsiveness === 'answering' ? asked : Math.ceil(asked / (responsiveness === 'unknown' ? 2 : 4));
      const hasRoom = ({
        submitter,
        host,
        responsiveness,
      }: {
        submitter: string;
        host: string;
        responsiveness: Responsiveness;
      }): boolean =>
        (
          [
            [6, held],
            [4, held.filter((each) => each.submitter === submitter)],
            [2, held.filter((each) => each.host === host)],
          ] as const
        ).every(([max, taken]) => {
          const unproven = taken.filter((each) => each.responsiveness !== 'answering').length;
          return taken.length < max && (responsiveness === 'answering' || unproven < allow(max, responsiveness));
        });
      const ends: Promise<void>[] = [];
      for (const { take, ...who } of commands) {
        if (take) {
          const { submitter, host, responsiveness } = who;
          const shares = [
            { key: `submitter ${submitter}`, max: 4, responsiveness },
            { key: `host ${host}`, max: 2, responsiveness },
          ];
          waiting.add(who);
          const end = slots.take({ responsiveness, shares }, 60_000, stop.signal).then((release) => {
            waiting.delete(who);
            if (release !== undefined) {
              expect(hasRoom(who)).toBe(true);
              held.push({ ...who, release });
            }
          });
          ends.push(end);
        } else {
          held.shift()?.release();
        }
        await new Promise(setImmediate);
        expect(slots.taken).toBe(held.length);
        expect([...waiting].filter(hasRoom)).toEqual([]);
      }
      stop.abort();
      await Promise.all(ends);
      for (const { release } of held) {
        release();
      }
      expect(slots.taken).toBe(0);
    }),
    { numRuns: 200 },
  );
});
