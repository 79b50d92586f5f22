import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConcurrencyLimiter, type SentCall } from './concurrency-limiter.ts';
import { limiterRules as rules } from './limiter-rules.ts';

/** Lets one call after the other be taken, with more of them waiting, from one time to another. */
function takeOn(limiter: ConcurrencyLimiter, fromMs: number, toMs: number): void {
  for (let now = fromMs; now <= toMs; now += 10) {
    limiter.took(limiter.send(now - 10), now);
    limiter.fallsShort();
    limiter.step(now);
  }
}

/** A limiter that allows `count` calls. They are all at the function at time 0. */
function limiterWith(count: number): { limiter: ConcurrencyLimiter; sent: SentCall[] } {
  const limiter = new ConcurrencyLimiter();
  for (let now = -1_000; limiter.limit < count; now += 10) {
    takeOn(limiter, now, now);
  }
  return { limiter, sent: Array.from({ length: count }, () => limiter.send(0)) };
}

test('nothing is known at first', () => {
  expect(new ConcurrencyLimiter()).toMatchObject({ limit: 10, atFunction: 0 });
});

test('while nothing is rejected the limit grows by two fifths every 50 ms', () => {
  const { limiter } = limiterWith(0);
  takeOn(limiter, 10, 210);
  expect(limiter.limit).toBe(38); // 10, 14, 19.6, 27.4, 38.4
});

test('it does not grow while nothing waits because of it', () => {
  const { limiter, sent } = limiterWith(10);
  for (const call of sent) {
    limiter.took(call, 5_000);
  }
  limiter.step(10_000);
  expect([limiter.limit, limiter.nextChangeAt(10_000)]).toEqual([10, undefined]);
});

test('calls that run for long without an answer count as taken, so that it grows, but slower', () => {
  const { limiter } = limiterWith(10);
  limiter.fallsShort();
  expect(limiter.nextChangeAt(1)).toBe(rules.silenceMs);
  limiter.step(rules.silenceMs - 1);
  expect(limiter.limit).toBe(10);
  limiter.step(rules.silenceMs);
  expect(limiter.limit).toBe(14);
});

test('a rejection tells how many calls the function had, and the limit goes to a margin below', () => {
  const { limiter, sent } = limiterWith(60);
  limiter.rejected(sent[50]!, 2);
  expect([limiter.limit, limiter.atFunction]).toEqual([45, 59]);
});

test('of a burst of rejections the lowest counts, in whatever order they come', () => {
  const { limiter, sent } = limiterWith(60);
  for (const at of [55, 59, 50, 53]) {
    limiter.rejected(sent[at]!, 2);
  }
  expect(limiter.limit).toBe(45);
});

test('the rejection of a call from long before a cut says nothing new', () => {
  const { limiter, sent } = limiterWith(60);
  limiter.rejected(sent[20]!, 2);
  limiter.rejected(sent[59]!, 9_000);
  expect(limiter.limit).toBe(18);
});

test('it recovers to where the rejection came, rests there, and probes one beyond', () => {
  const { limiter, sent } = limiterWith(11);
  limiter.rejected(sent[10]!, 0);
  expect(limiter.limit).toBe(9);
  takeOn(limiter, 10, 900);
  expect(limiter.limit).toBe(10);
  takeOn(limiter, 910, rules.probeAfterMs);
  expect(limiter.limit).toBe(11);
});

test('a probe that is taken is followed by greater ones', () => {
  const { limiter, sent } = limiterWith(11);
  limiter.rejected(sent[10]!, 0);
  takeOn(limiter, 10, rules.probeAfterMs + 400);
  expect(limiter.limit).toBeGreaterThan(50);
});

test('a rejection, with nothing taken since the last one, cuts deeper', () => {
  const { limiter, sent } = limiterWith(51);
  limiter.rejected(sent[50]!, 0);
  for (const call of sent.slice(0, 10)) {
    limiter.took(call, 1);
  }
  const next = limiter.send(1);
  limiter.rejected(next, 2);
  expect([next.ahead, limiter.limit]).toEqual([40, 28]);
});

test('steps wait for twice as long as rejections take to come', () => {
  const { limiter, sent } = limiterWith(11);
  limiter.rejected(sent[10]!, 1_000);
  limiter.took(limiter.send(1_000), 1_010);
  limiter.fallsShort();
  expect(limiter.nextChangeAt(1_010)).toBe(1_000 + rules.recoverySteps * 2_000);
});

test('a function that takes nothing is asked more and more rarely, but at least once a second', () => {
  const { limiter } = limiterWith(0);
  let asked = 0;
  for (let now = 0; now < 100_000; now++) {
    if (limiter.atFunction < limiter.allowed(now)) {
      asked += 1;
      limiter.rejected(limiter.send(now), now);
      expect((limiter.nextChangeAt(now) ?? now) - now).toBeLessThanOrEqual(rules.longestRestMs);
    }
  }
  expect(asked).toBeLessThan(1_000);
  expect(asked).toBeGreaterThan(100);
});

test('one call that is taken ends that', () => {
  const { limiter } = limiterWith(0);
  limiter.rejected(limiter.send(0), 0);
  limiter.rejected(limiter.send(10_000), 10_000);
  expect(limiter.allowed(10_050)).toBe(0);
  limiter.took(limiter.send(10_200), 10_300);
  limiter.rejected(limiter.send(10_300), 10_301);
  expect(limiter.allowed(10_302)).toBe(1);
});

test('a refusal counts as a rejection while the function has other calls', () => {
  const { limiter, sent } = limiterWith(60);
  limiter.refused(sent[50]!, 2);
  expect(limiter.limit).toBe(45);
});

test('refusals that continue while there are no other calls have another reason, and are ignored for a time', () => {
  const { limiter } = limiterWith(0);
  let now = 0;
  let refused = 0;
  // One call in ten is refused, whatever the function has.
  for (; now < 60_000; now += 10) {
    const sent = Array.from({ length: limiter.allowed(now) }, () => limiter.send(now));
    limiter.fallsShort();
    for (const call of sent) {
      refused += 1;
      limiter[refused % 10 === 0 ? 'refused' : 'took'](call, now + 5);
    }
    limiter.step(now + 5);
    if (limiter.limit > 1_000) {
      break;
    }
  }
  expect(limiter.limit).toBeGreaterThan(1_000);
});

test('what was learned is forgotten after a minute without calls', () => {
  const { limiter, sent } = limiterWith(2);
  limiter.rejected(sent[1]!, 0);
  limiter.took(sent[0]!, 10);
  expect(limiter.limit).toBe(1);
  limiter.send(10 + rules.forgetAfterMs);
  expect(limiter.limit).toBe(10);
});

interface Happening {
  /** Time that passes before it. */
  readonly afterMs: number;
  readonly what: 'send' | 'took' | 'rejected' | 'refused' | 'ended' | 'fallsShort' | 'step';
  /** Which of the calls at the function. */
  readonly pick: number;
}

const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(20), fc.nat(2_000), fc.nat(70_000)),
    what: fc.constantFrom('send', 'send', 'send', 'took', 'rejected', 'refused', 'ended', 'fallsShort', 'step'),
    pick: fc.nat(1_000),
  }),
  { maxLength: 300 },
);

function happen(limiter: ConcurrencyLimiter, sent: SentCall[], { what, pick }: Happening, now: number): void {
  if (what === 'send') {
    if (limiter.atFunction < limiter.allowed(now)) {
      sent.push(limiter.send(now));
    }
  } else if (what === 'fallsShort') {
    limiter.fallsShort();
  } else if (what === 'step') {
    limiter.step(now);
  } else {
    const [call] = sent.splice(pick % Math.max(1, sent.length), 1);
    if (call === undefined) {
      return;
    }
    if (what === 'ended') {
      limiter.ended(now);
    } else {
      limiter[what](call, now);
    }
  }
}

test('whatever happens, the limit is at least one, grows only in steps, and a rest ends in time', () => {
  fc.assert(
    fc.property(happenings, (list) => {
      const limiter = new ConcurrencyLimiter();
      const sent: SentCall[] = [];
      let now = 0;
      for (const each of list) {
        now += each.afterMs;
        const before = limiter.limit;
        happen(limiter, sent, each, now);
        const grown = each.what === 'step' ? Math.max(before + 2, Math.ceil((before + 1) * rules.fastGrowth)) : before;
        const most = each.what === 'send' ? Math.max(grown, rules.initial) : grown;
        expect(limiter.limit).toBeLessThanOrEqual(most);
        expect(limiter.limit).toBeGreaterThanOrEqual(rules.min);
        expect([0, limiter.limit]).toContain(limiter.allowed(now));
        expect(limiter.allowed(now + rules.longestRestMs)).toBe(limiter.limit);
        expect(limiter.atFunction).toBe(sent.length);
      }
    }),
    { numRuns: 2_000 },
  );
});
