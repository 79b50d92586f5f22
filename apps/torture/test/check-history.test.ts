import { createRandom } from '@asyncfn/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../src/check/check-history.ts';
import type { HistoryEvent } from '../src/history/event.ts';
import { type Plan, randomPlan } from '../src/plan.ts';
import { formatReport } from '../src/report.ts';
import { idOf, plainPlan, WrittenHistory } from './written-history.ts';

const plan: Plan = { ...plainPlan, callback: 'steady' };
const silent: Plan = { ...plan, callback: 'none' };
const retried: Plan = {
  ...silent,
  steps: [
    { status: 503, delayMs: 0 },
    { status: 200, delayMs: 0 },
  ],
};

function brokenRules(events: readonly HistoryEvent[], limits: Parameters<typeof checkHistory>[1] = {}): string[] {
  return checkHistory(events, limits).violations.map(({ rule }) => rule);
}

function without(events: readonly HistoryEvent[], kind: HistoryEvent['kind']): HistoryEvent[] {
  return events.filter((event) => event.kind !== kind);
}

const callsArbitrary = fc
  .record({ seed: fc.integer({ min: 0, max: 2 ** 31 }), count: fc.integer({ min: 1, max: 30 }) })
  .map(({ seed, count }) => {
    const random = createRandom(seed);
    return Array.from({ length: count }, () => randomPlan(random, true));
  });

function wholeHistory(plans: readonly Plan[]): WrittenHistory {
  const history = new WrittenHistory();
  for (const [index, each] of plans.entries()) {
    history.wholeCall(index + 1, each, index * 7);
  }
  return history.quiet();
}

describe('a history in which nothing goes wrong', () => {
  test('is clean, and its counts are complete', () => {
    fc.assert(
      fc.property(callsArbitrary, (plans) => {
        const verdict = checkHistory(wholeHistory(plans).events);
        expect(verdict.violations).toEqual([]);
        expect(verdict).toMatchObject({ clean: true, conservation: 0, queued: 0 });
        expect(verdict.counts).toMatchObject({ sent: plans.length, accepted: plans.length, ended: plans.length });
      }),
    );
  });

  test('gets the same verdict in any order of its events', () => {
    fc.assert(
      fc.property(callsArbitrary, fc.integer(), (plans, seed) => {
        const random = createRandom(seed);
        const { events } = wholeHistory(plans);
        const shuffled = events.map((event) => ({ event, key: random() })).toSorted((a, b) => a.key - b.key);
        expect(checkHistory(shuffled.map(({ event }) => event)).clean).toBe(true);
      }),
    );
  });

  test('is not clean if the end of any one call is missing', () => {
    fc.assert(
      fc.property(callsArbitrary, fc.nat(), (plans, at) => {
        const { events } = wholeHistory(plans);
        const victim = idOf((at % plans.length) + 1);
        const verdict = checkHistory(events.filter((event) => event.kind !== 'ended' || event.callId !== victim));
        expect(verdict).toMatchObject({ clean: false, conservation: 1 });
        expect(verdict.violations[0]).toMatchObject({ rule: 'nothing accepted is lost' });
      }),
    );
  });

  test('is not clean if any one call is invoked twice', () => {
    fc.assert(
      fc.property(callsArbitrary, fc.nat(), (plans, at) => {
        const history = wholeHistory(plans);
        const request = (at % plans.length) + 1;
        const { at: first = 0 } = history.events.find((e) => e.kind === 'invoked' && e.request === request) ?? {};
        history.attempt(request, 0, first + 11, first + 12, 200);
        expect(brokenRules(history.events)).toContain('once without a crash');
      }),
    );
  });
});

describe('a call that was accepted', () => {
  test('is lost if it has no end, even if an invocation shows that it existed', () => {
    const history = new WrittenHistory().sent(1, silent).accepted(1).attempt(1, 0, 10, 20, 200).quiet();
    expect(checkHistory(history.events)).toMatchObject({ clean: false, conservation: 1 });
    expect(brokenRules(history.events)).toEqual(['nothing accepted is lost']);
  });

  test('has one end, not two', () => {
    const history = new WrittenHistory().wholeCall(1, silent, 0).ended(1, silent, 30);
    expect(brokenRules(history.events)).toEqual(['one end']);
  });

  test('ends as its function says', () => {
    const events = without(new WrittenHistory().wholeCall(1, silent, 0).events, 'ended');
    const wrong = { kind: 'ended', callId: idOf(1), status: 'failed', attempts: 1, functionStatus: 200 } as const;
    expect(brokenRules([...events, { at: 25, ...wrong }])).toEqual(['the end is the right one']);
    const crashed = { ...wrong, attempts: 0, reason: 'worker_crash' };
    expect(brokenRules([...events, { at: 25, ...crashed }])).toEqual([]);
  });
});

describe('a call without a clear answer', () => {
  const left = new WrittenHistory().sent(1, silent).at(5, { kind: 'broken', request: 1, error: 'ECONNRESET' });

  test('may not have been stored', () => {
    expect(checkHistory(left.events)).toMatchObject({ clean: true, counts: { unknown: 1, unknownStored: 0 } });
  });

  test('must end once it is seen at its function', () => {
    const seen = new WrittenHistory()
      .sent(1, silent)
      .at(5, { kind: 'answered', request: 1, status: 503, code: 'broker_timeout' })
      .attempt(1, 0, 10, 20, 200);
    expect(brokenRules(seen.events)).toEqual(['nothing accepted is lost']);
    expect(checkHistory(seen.ended(1, silent, 30).events)).toMatchObject({ clean: true, counts: { unknownStored: 1 } });
  });
});

test('a call whose sender never learned its id carries the id in its callback', () => {
  const expiring: Plan = { ...plan, expiresInMs: 1_000 };
  const told = { request: 1, webhookId: idOf(1), functionStatus: 504, retry: 0, content: '', status: 204 } as const;
  const history = new WrittenHistory()
    .sent(1, expiring)
    .at(5, { kind: 'answered', request: 1, status: 503, code: 'broker_timeout' })
    .at(1_000, { kind: 'ended', callId: idOf(1), status: 'expired', attempts: 0 })
    .at(1_010, { kind: 'called back', ...told });
  expect(checkHistory(history.events)).toMatchObject({ clean: true, conservation: 0, counts: { expired: 1 } });
});

test('a call that was refused is not invoked', () => {
  const refused = new WrittenHistory()
    .sent(1, silent)
    .at(5, { kind: 'answered', request: 1, status: 503, code: 'queue_full' });
  expect(brokenRules(refused.events)).toEqual([]);
  expect(brokenRules(refused.attempt(1, 0, 10, 20, 200).ended(1, silent, 30).events)).toEqual([
    'a refused call is not run',
  ]);
});

test('a valid request is not answered 4xx', () => {
  const conflict = { kind: 'answered', request: 1, status: 409, code: 'call_id_conflict' } as const;
  expect(brokenRules(new WrittenHistory().sent(1, silent).at(5, conflict).events)).toEqual([
    'a good request is not turned away',
  ]);
});

describe('attempts', () => {
  test('stay within the budget', () => {
    const one: Plan = { ...retried, maxRetries: 0, steps: [{ status: 503, delayMs: 0 }] };
    const history = new WrittenHistory().wholeCall(1, one, 0).attempt(1, 1, 24, 25, 503);
    expect(brokenRules(history.events)).toEqual(['within the budget']);
  });

  test('come in their order', () => {
    const history = new WrittenHistory().sent(1, retried).accepted(1);
    history.attempt(1, 1, 10, 20, 200).attempt(1, 0, 30, 40, 503).ended(1, retried, 50);
    expect(brokenRules(history.events)).toEqual(['attempts in their order']);
  });

  test('are made twice, and at once, only if a lease may have been lost in between', () => {
    const twice = (name: string | undefined, breaksLeasesOf = '') => {
      const history = new WrittenHistory().sent(1, silent).accepted(1);
      history.attempt(1, 0, 5_000, 6_000, 200, 'worker-1').attempt(1, 0, 5_500, 6_500, 200, 'worker-2');
      history.ended(1, silent, 6_600);
      return name === undefined ? history : history.fault(1, name, 5_100, 5_200, breaksLeasesOf);
    };
    expect(brokenRules(twice(undefined).events).toSorted()).toEqual(['once without a crash', 'one attempt at a time']);
    expect(brokenRules(twice('slow network', 'none').events)).toHaveLength(2);
    expect(brokenRules(twice('kill worker', 'worker-3').events)).toHaveLength(2);
    expect(brokenRules(twice('kill worker', 'worker-1').events)).toEqual([]);
    expect(brokenRules(twice('kill NATS', 'all').events)).toEqual([]);
  });

  test('are made twice by two workers that had the call waiting, from when a lease was lost until its turn', () => {
    const waiting = (sentAt: number, breaksLeasesOf: string) =>
      new WrittenHistory()
        .sent(1, silent, sentAt)
        .accepted(1, sentAt + 5)
        .fault(1, 'isolate NATS', 2_800, 10_300, breaksLeasesOf)
        .attempt(1, 0, 15_742, 16_347, 200, 'worker-2')
        .attempt(1, 0, 15_750, 16_355, 200, 'worker-1')
        .ended(1, silent, 16_497);
    expect(brokenRules(waiting(0, 'all').events)).toEqual([]);
    expect(brokenRules(waiting(0, 'worker-2').events)).toEqual([]);
    expect(brokenRules(waiting(0, 'worker-3').events)).toHaveLength(2);
    expect(brokenRules(waiting(15_000, 'all').events)).toHaveLength(2);
  });

  test('are not excused by a fault that was over before their retry was due', () => {
    const retried = new WrittenHistory()
      .sent(1, silent)
      .accepted(1, 5)
      .attempt(1, 0, 10, 20, 503, 'worker-1')
      .fault(1, 'pause worker', 30, 1_000, 'worker-1')
      .attempt(1, 1, 4_020, 4_030, 503, 'worker-1')
      .attempt(1, 1, 4_040, 4_050, 503, 'worker-2');
    expect(brokenRules(retried.events)).not.toContain('once without a crash');
    expect(brokenRules(retried.events, { retryWaitMs: 4_000 })).toContain('once without a crash');
  });

  test('are made twice if a worker is lost before the end is on record, however long that takes', () => {
    const stuck = (endedAt: number) =>
      new WrittenHistory()
        .sent(1, silent)
        .accepted(1)
        .attempt(1, 0, 45, 81, 200, 'worker-2')
        .fault(1, 'pause worker', 2_090, 7_782, 'worker-2')
        .attempt(1, 0, 5_058, 5_093, 200, 'worker-1')
        .ended(1, silent, endedAt);
    expect(brokenRules(stuck(5_096).events)).toEqual([]);
    expect(brokenRules(stuck(90).events)).toContain('once without a crash');
  });

  test('are made twice by a worker that stood still with the call, and not if it resumed long before', () => {
    const late = (secondFrom: number) =>
      new WrittenHistory()
        .sent(1, silent)
        .accepted(1)
        .fault(1, 'pause worker', 1_000, 5_000, 'worker-2')
        .attempt(1, 0, 3_000, 3_100, 200, 'worker-1')
        .attempt(1, 0, secondFrom, secondFrom + 100, 200, 'worker-2')
        .ended(1, silent, 3_110);
    expect(brokenRules(late(5_100).events)).toEqual([]);
    expect(brokenRules(late(9_000).events)).toContain('once without a crash');
  });

  test('run at once if one is made again for a lost lease while the next one is due', () => {
    const chain = (breaksLeasesOf: string) =>
      new WrittenHistory()
        .sent(1, retried)
        .accepted(1)
        .fault(1, 'pause worker', 3_000, 6_600, breaksLeasesOf)
        .attempt(1, 0, 1_700, 3_050, 503, 'worker-1')
        .attempt(1, 0, 7_584, 8_800, 503, 'worker-2')
        .attempt(1, 1, 7_585, 7_650, 200, 'worker-2')
        .ended(1, retried, 8_900);
    expect(brokenRules(chain('worker-1').events)).toEqual([]);
    expect(brokenRules(chain('none').events)).toContain('one attempt at a time');
  });

  test('are not made after the end', () => {
    const late = new WrittenHistory().wholeCall(1, silent, 0).attempt(1, 1, 5_000, 5_010, 200);
    expect(brokenRules(late.events)).toEqual(['nothing after the end']);
    expect(brokenRules(late.fault(1, 'pause worker', 20, 4_900).events)).toEqual([]);
  });

  test('that a stopping worker gave up are made again at once', () => {
    const stopped = (againAt: number) =>
      new WrittenHistory()
        .sent(1, silent)
        .accepted(1)
        .fault(1, 'stop worker', 15, 1_000)
        .attempt(1, 0, 10, 20, undefined)
        .attempt(1, 0, againAt, againAt + 5, 200)
        .ended(1, silent, againAt + 6);
    expect(brokenRules(stopped(900).events)).toEqual([]);
    expect(brokenRules(stopped(30_000).events)).toContain('handed over at once');
  });
});

describe('a call that was cancelled', () => {
  const cancelled = (status: number, invokedAt?: number) => {
    const history = new WrittenHistory().sent(1, silent).accepted(1);
    history.at(100, { kind: 'cancelling', request: 1 }).at(110, { kind: 'cancelled', request: 1, status });
    return invokedAt === undefined ? history : history.attempt(1, 0, invokedAt, invokedAt + 10, 200);
  };
  const end = { kind: 'ended', callId: idOf(1), status: 'cancelled', attempts: 0 } as const;

  test('ends so, and is not invoked after the cancel was confirmed', () => {
    expect(brokenRules(cancelled(202).at(105, end).events)).toEqual([]);
    expect(brokenRules(cancelled(202, 90).at(105, end).events)).toEqual([]);
    expect(brokenRules(cancelled(202, 800).at(105, end).events)).toEqual(['cancelled is cancelled']);
    expect(brokenRules(cancelled(202, 90).ended(1, silent, 105).events)).toEqual(['cancelled is cancelled']);
  });

  test('may be invoked while its cancel is not confirmed, and not after an end that no client waits for', () => {
    const slowly = new WrittenHistory().sent(1, silent).accepted(1).at(100, { kind: 'cancelling', request: 1 });
    slowly.at(200, end).attempt(1, 0, 2_000, 2_010, 200);
    expect(brokenRules(slowly.events)).toEqual(['nothing after the end']);
    expect(brokenRules(slowly.at(2_100, { kind: 'cancelled', request: 1, status: 202 }).events)).toEqual([]);
  });

  test('may have ended before, and is known', () => {
    expect(brokenRules(cancelled(409, 90).ended(1, silent, 105).events)).toEqual([]);
    expect(brokenRules(cancelled(404, 90).ended(1, silent, 105).events)).toEqual(['cancelled is cancelled']);
  });

  test('had a client that cancelled it', () => {
    const events = new WrittenHistory().sent(1, silent).accepted(1).at(105, end).events;
    expect(brokenRules(events)).toEqual(['the end is the right one']);
  });
});

describe('times', () => {
  test('a delayed call is not invoked before its time', () => {
    const delayed: Plan = { ...silent, notBeforeMs: 500 };
    expect(brokenRules(new WrittenHistory().wholeCall(1, delayed, 0).events)).toEqual([]);
    const early = new WrittenHistory().sent(1, delayed).accepted(1).attempt(1, 0, 450, 460, 200).ended(1, delayed, 470);
    expect(brokenRules(early.events)).toEqual(['not before its time']);
    expect(brokenRules(early.clock(1, 'gateway-1', 8_000, 9_000, -60_000).events)).toHaveLength(1);
    expect(brokenRules(early.clock(2, 'gateway-1', 0, 400, -10).events)).toHaveLength(1);
    expect(brokenRules(early.clock(3, 'gateway-1', 0, 400, -2_000).events)).toEqual([]);
  });

  test('a call that has expired is not started', () => {
    const expiring: Plan = { ...silent, expiresInMs: 1_000 };
    const started = (at: number) =>
      new WrittenHistory()
        .sent(1, expiring)
        .accepted(1)
        .attempt(1, 0, at, at + 10, 200)
        .ended(1, expiring, at + 11);
    expect(brokenRules(started(900).events)).toEqual([]);
    expect(brokenRules(started(3_000).events)).toEqual(['not after it has expired']);
    // A worker may have learned that it may start, but not have begun; or the answer did not reach it.
    expect(brokenRules(started(3_000).fault(1, 'isolate NATS', 800, 1_500, 'all').events)).toEqual([]);
    expect(brokenRules(started(6_000).fault(1, 'isolate NATS', 2_500, 5_500, 'all').events)).toHaveLength(1);
    // The time was compared with a clock that was off, which explains as much.
    expect(brokenRules(started(3_000).clock(1, 'worker-1', 800, 3_500, -2_000).events)).toEqual([]);
    expect(brokenRules(started(6_000).clock(1, 'worker-1', 800, 6_500, -2_000).events)).toHaveLength(1);
    expect(brokenRules(started(6_000).clock(1, 'worker-1', 8_000, 9_500, -60_000).events)).toHaveLength(1);
    // However far the clock jumps: the time is the broker's.
    expect(brokenRules(started(6_000).clock(1, 'worker-1', 800, 6_500, -60_000).events)).toEqual([]);
    expect(brokenRules(started(9_000).clock(1, 'worker-1', 800, 9_500, -60_000).events)).toHaveLength(1);
    const end = { kind: 'ended', callId: idOf(1), status: 'expired', attempts: 0 } as const;
    expect(brokenRules(new WrittenHistory().sent(1, expiring).accepted(1).at(1_000, end).events)).toEqual([]);
    expect(brokenRules(new WrittenHistory().sent(1, silent).accepted(1).at(1_000, end).events)).toEqual([
      'the end is the right one',
    ]);
  });
});

test('two calls for one key are one too many', () => {
  const events = new WrittenHistory().wholeCall(1, silent, 0).events;
  const second = { kind: 'answered', request: 1, status: 202, callId: 'another' } as const;
  expect(brokenRules([...events, { at: 30, ...second }])).toEqual(['a key is one call']);
});

describe('an id that is sent twice at one moment', () => {
  const callId = 'twin';
  const own: Plan = { ...silent, ownId: true };

  /** A call under the id: accepted at its start time, invoked and ended. */
  function whole(history: WrittenHistory, request: number, plan: Plan, startTime: string): WrittenHistory {
    const { tenant: submitter } = plan;
    return history
      .at(request, { kind: 'sent', request, gateway: 'gateway-1', plan, callId })
      .at(5, { kind: 'answered', request, status: 202, callId, startTime })
      .at(10, { kind: 'invoked', request, invocation: request, callId, startTime, retry: 0, worker: 'worker-1' })
      .at(15, { kind: 'returned', request, invocation: request, status: 200 })
      .at(20, { kind: 'ended', callId, submitter, startTime, status: 'succeeded', attempts: 1, functionStatus: 200 });
  }

  test('by two tenants is two calls, each with an end of its own', () => {
    const both = whole(whole(new WrittenHistory(), 1, own, '10'), 2, { ...own, tenant: 'south' }, '10');
    expect(checkHistory(both.events)).toMatchObject({ clean: true, conservation: 0 });
    const events = both.events.filter((event) => event.kind !== 'ended' || event.submitter === 'north');
    expect(brokenRules(events)).toEqual(['nothing accepted is lost']);
    expect(
      checkHistory(
        both.at(30, { kind: 'ended', callId, submitter: 'west', startTime: '10', status: 'succeeded', attempts: 1 })
          .events,
      ),
    ).toMatchObject({ conservation: 1 });
  });

  test('by one tenant is one call, and the other request is refused', () => {
    const refusal = { kind: 'answered', request: 2, status: 409, code: 'call_id_conflict' } as const;
    const sent = { kind: 'sent', request: 2, gateway: 'gateway-2', plan: own, callId } as const;
    const one = () => whole(new WrittenHistory(), 1, own, '10').at(1, sent);
    expect(brokenRules(one().at(6, refusal).events)).toEqual([]);
    expect(brokenRules(one().at(6, { kind: 'broken', request: 2, error: 'lost' }).events)).toEqual([]);
    expect(brokenRules(whole(one(), 2, own, '11').events)).toEqual(['an id is one call', 'an id is one call']);
    // By then the first one is forgotten.
    const later = one().events.filter((event) => event.kind !== 'sent' || event.request !== 2);
    const again = whole(new WrittenHistory(), 2, own, '11').events.map((event) => ({
      ...event,
      at: event.at + 700_000,
    }));
    expect(brokenRules([...later, ...again])).toEqual([]);
    // Neither call exists, so nothing was in the way of either.
    const neither = new WrittenHistory().at(1, sent).at(6, refusal);
    neither.at(1, { ...sent, request: 1 }).at(6, { ...refusal, request: 1 });
    expect(new Set(brokenRules(neither.events))).toEqual(new Set(['a good request is not turned away']));
  });
});

describe('a call of one tenant', () => {
  const looked = { kind: 'looked', request: 1, by: 'south', what: 'result' } as const;
  const look = (status: number) => new WrittenHistory().wholeCall(1, silent, 0).at(90, { ...looked, status });

  test('does not exist for another tenant', () => {
    expect(brokenRules(look(404).events)).toEqual([]);
    expect(brokenRules(look(503).events)).toEqual([]);
    expect(brokenRules(look(409).events)).toEqual(['a call is seen by its own tenant alone']);
    expect(brokenRules(look(200).events)).toEqual(['a call is seen by its own tenant alone']);
  });

  test('has its own result, for every request and in its callback', () => {
    const own = (about: number) =>
      new WrittenHistory().wholeCall(1, silent, 0).at(90, { ...looked, by: 'north', status: 200, about });
    expect(brokenRules(own(1).events)).toEqual([]);
    expect(brokenRules(own(2).events)).toEqual(['a call is seen by its own tenant alone']);
    const foreign = new WrittenHistory()
      .wholeCall(1, plan, 0)
      .events.map((event) => ({ ...event, ...(event.kind === 'called back' && { about: 2 }) }));
    expect(brokenRules(foreign as HistoryEvent[])).toEqual(['a call is seen by its own tenant alone']);
  });
});

describe('a callback', () => {
  test('comes at least once, and may come again', () => {
    const history = new WrittenHistory().wholeCall(1, plan, 0);
    expect(brokenRules(without(history.events, 'called back'))).toEqual(['the caller is told']);
    expect(brokenRules(history.calledBack(1, plan, 900).events)).toEqual([]);
  });

  test('does not count as delivered if the receiver refused it', () => {
    const events = new WrittenHistory().wholeCall(1, plan, 0).events;
    const refused = events.map((event) => (event.kind === 'called back' ? { ...event, status: 500 } : event));
    expect(brokenRules(refused)).toEqual(['the caller is told']);
  });

  test.each([{ webhookId: 'another' }, { content: 'another result' }, { functionStatus: 500 }, { retry: 2 }])(
    'tells the truth, and the same each time: not %o',
    (lie) => {
      const events = new WrittenHistory().wholeCall(1, plan, 0).calledBack(1, plan, 900).events;
      const last = events.at(-1);
      expect(brokenRules([...events.slice(0, -1), { ...last, ...lie } as HistoryEvent])).toEqual([
        'the caller is told the truth',
      ]);
    },
  );
});

test('a refused item of a batch may have an end, which keeps it from running', () => {
  const keptOut = { kind: 'ended', callId: 'batch-3', status: 'cancelled', reason: 'not_accepted' } as const;
  const history = (attempts: number) => new WrittenHistory().at(10, { ...keptOut, attempts }).quiet();
  expect(checkHistory(history(0).events)).toMatchObject({ clean: true, conservation: 0 });
  expect(checkHistory(history(1).events)).toMatchObject({ clean: false, conservation: 1 });
});

test.each([
  [503, 'broker_unavailable', []],
  [202, undefined, ['the end is the right one']],
])('an item that is kept out of its batch was not accepted: answered %i', (status, code, broken) => {
  const history = new WrittenHistory()
    .sent(1, silent)
    .at(10, { kind: 'ended', callId: idOf(1), status: 'cancelled', reason: 'not_accepted', attempts: 0 })
    .at(20, { kind: 'answered', request: 1, status, code, callId: idOf(1) })
    .quiet();
  expect(brokenRules(history.events)).toEqual(broken);
});

test('an end of a call that no client sent is a call too many', () => {
  const history = new WrittenHistory().wholeCall(1, silent, 0).ended(2, silent, 30);
  expect(checkHistory(history.events)).toMatchObject({ clean: false, conservation: 1, violations: [] });
});

test('a call that expired unseen, after an answer that got lost, is known by the id that its sender chose', () => {
  const expiring = { ...silent, ownId: true, expiresInMs: 50 };
  const history = new WrittenHistory().sent(1, expiring).at(9, { kind: 'broken', request: 1, error: 'lost' });
  history.at(60, { kind: 'ended', callId: idOf(1), status: 'expired', attempts: 0, reason: 'expired' });
  expect(checkHistory(history.quiet().events)).toMatchObject({ clean: true, counts: { unknownStored: 1 } });
});

test('a history with messages left in the queues is not clean, and the report says where they are', () => {
  const left = [
    'CALLS_default, sequence 7: calls.default.ready.~.quick.id',
    'CALLBACKS, sequence 9: callbacks.ready.id',
  ];
  const verdict = checkHistory(new WrittenHistory().wholeCall(1, silent, 0).quiet(2, left).events);
  expect(verdict).toMatchObject({ clean: false, queued: 2, left });
  const report = formatReport(verdict, []);
  expect(left.filter((message) => !report.includes(message))).toEqual([]);
});

test('a call that the audit misses makes a history unclean, even if it has ended', () => {
  const history = new WrittenHistory().wholeCall(1, silent, 0).missed(1, 20).quiet();
  expect(checkHistory(history.events)).toMatchObject({ clean: false, conservation: 0, counts: { missed: 1 } });
  expect(brokenRules(history.events)).toEqual(['what is there is not missed']);
});

test('the report tells the shortest story of each broken rule, with the faults of that time', () => {
  const history = new WrittenHistory();
  history.sent(1, retried).accepted(1).attempt(1, 0, 10, 20, 503).attempt(1, 1, 30, 40, 200);
  history.sent(2, silent).accepted(2).fault(1, 'kill worker', 8, 500);
  const verdict = checkHistory(history.events);
  const report = formatReport(verdict, [
    { name: 'kill worker', target: 'worker-1', from: 8, to: 500, breaksLeasesOf: 'worker-1' },
  ]);
  expect(report).toContain('verdict      NOT CLEAN');
  expect(report).toContain('broken: nothing accepted is lost (2 calls)');
  expect(report).toContain('request 2, call call-2: it was stored, and has no end');
  expect(report).toContain('8 ms  -- kill worker begins: worker-1');
  expect(report).not.toContain('request 1,');
});
