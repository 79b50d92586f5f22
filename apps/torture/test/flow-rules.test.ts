import { describe, expect, test } from 'vitest';
import { checkHistory } from '../src/check/check-history.ts';
import type { FlowRule } from '../src/check/flow-rules.ts';
import type { PlannedFlow } from '../src/flows.ts';
import type { Plan } from '../src/plan.ts';
import { idOf, plainPlan, WrittenHistory } from './written-history.ts';

const order: FlowRule = 'calls of a flow key keep their order';
const atOnce: FlowRule = 'no more calls of a flow key at once than it allows';
const rate: FlowRule = 'no window has more calls of a flow key than its rate allows';

function keyed(flow: Partial<PlannedFlow> = {}, changes: Partial<Plan> = {}): Plan {
  return { ...plainPlan, flow: { key: 'order-1', ...flow }, ...changes };
}

const plan = keyed();
const retried = keyed({}, { steps: [{ status: 503, delayMs: 0 }, ...plan.steps] });

/** The rules that are broken, each once. */
function brokenBy({ events }: WrittenHistory): string[] {
  return [...new Set(checkHistory(events).violations.map(({ rule }) => rule))];
}

/** Each is sent once the one before was answered. */
function accepted(plans: readonly Plan[]): WrittenHistory {
  const history = new WrittenHistory();
  for (const [index, each] of plans.entries()) {
    history.sent(index + 1, each, 10 * index).accepted(index + 1, 10 * index + 5);
  }
  return history;
}

/** As many attempts as a rate of two allows. */
const two = [
  [100, 110],
  [150, 160],
] as const;

/** Calls whose only attempts take the given times, each from when to when. They end a millisecond later. */
function ran(spans: readonly (readonly [from: number, to: number])[], each = plan): WrittenHistory {
  const history = accepted(spans.map(() => each));
  for (const [index, [from, to]] of spans.entries()) {
    history.attempt(index + 1, 0, from, to, 200).ended(index + 1, each, to + 1);
  }
  return history;
}

describe('calls of a key without a parallelism', () => {
  test('run one after the other in the order in which they were accepted', () => {
    expect(
      brokenBy(
        ran([
          [100, 200],
          [201, 300],
          [301, 310],
        ]),
      ),
    ).toEqual([]);
    expect(
      brokenBy(
        ran([
          [201, 300],
          [100, 200],
        ]),
      ),
    ).toEqual([order]);
    expect(
      brokenBy(
        ran([
          [100, 200],
          [199, 300],
        ]),
      ),
    ).toEqual([order, atOnce]);
  });

  test('run in any order if they were sent before the first of them was answered', () => {
    const sentAt = (second: number): WrittenHistory =>
      new WrittenHistory()
        .sent(1, plan, 0)
        .accepted(1, 50)
        .sent(2, plan, second)
        .accepted(2, 80)
        .attempt(2, 0, 100, 150, 200)
        .ended(2, plan, 151)
        .attempt(1, 0, 200, 250, 200)
        .ended(1, plan, 251);
    expect(brokenBy(sentAt(49))).toEqual([]);
    expect(brokenBy(sentAt(51))).toEqual([order]);
    const unanswered = sentAt(51).events.filter((event) => event.kind !== 'answered' || event.request !== 1);
    expect(checkHistory(unanswered).violations).toEqual([]);
  });

  describe('of a batch', () => {
    const batch = (requests: readonly number[], plans = [plan, plan], answeredAt = 1): WrittenHistory => {
      const history = new WrittenHistory();
      for (const [index, each] of plans.entries()) {
        history.sent(index + 1, each).accepted(index + 1, answeredAt);
      }
      history.at(5, { kind: 'batched', batch: 1, batchId: 'b', requests });
      const told = {
        total: 2,
        succeeded: 2,
        failed: 0,
        cancelled: 0,
        expired: 0,
        endedAt: new Date(400).toISOString(),
      };
      history.at(420, { kind: 'batch told', batch: 1, webhookId: 'b', content: JSON.stringify(told), status: 204 });
      for (const [index, each] of plans.entries()) {
        const from = 100 * (index + 1);
        history.attempt(index + 1, 0, from, from + 50, 200).ended(index + 1, each, from + 51);
      }
      return history;
    };

    test('count as accepted in their order', () => {
      expect(brokenBy(batch([1, 2]))).toEqual([]);
      expect(brokenBy(batch([2, 1]))).toEqual([order]);
    });

    test('may begin before earlier ones if they are delayed, and due before the batch was accepted', () => {
      const delayed = [keyed({}, { notBeforeMs: 100 }), plan];
      expect(brokenBy(batch([2, 1], delayed, 150))).toEqual([]);
      expect(brokenBy(batch([2, 1], delayed, 50))).toEqual([order]);
    });
  });

  test('join the order when their delay has passed', () => {
    const late = keyed({}, { notBeforeMs: 100 });
    const history = accepted([late, plan]);
    history.attempt(2, 0, 50, 150, 200).ended(2, plan, 151).attempt(1, 0, 200, 210, 200).ended(1, late, 211);
    expect(brokenBy(history)).toEqual([]);
  });

  test('keep their place while they wait for a retry', () => {
    const retry = (second: number): WrittenHistory => {
      const history = accepted([retried, plan]).attempt(1, 0, 100, 110, 503).attempt(1, 1, 400, 410, 200);
      return history
        .ended(1, retried, 411)
        .attempt(2, 0, second, second + 5, 200)
        .ended(2, plan, second + 6);
    };
    expect(brokenBy(retry(412))).toEqual([]);
    expect(brokenBy(retry(200))).toEqual([order, atOnce]);
  });

  test('have ended before the next one begins', () => {
    const history = ran([
      [100, 110],
      [200, 210],
    ]);
    expect(brokenBy(history)).toEqual([]);
    const events = history.events.map((event) =>
      event.kind === 'ended' && event.callId === idOf(1) ? { ...event, at: 1_300 } : event,
    );
    expect(checkHistory(events).violations.map(({ rule }) => rule)).toEqual([order]);
  });

  test('leave the order when they are cancelled or expire, before their end is stored', () => {
    const gone = (status: string, at: number, own: Plan): WrittenHistory =>
      accepted([own, plan])
        .at(20, { kind: 'cancelling', request: 1 })
        .at(at, { kind: 'ended', callId: idOf(1), status, attempts: 0 })
        .attempt(2, 0, 100, 110, 200)
        .ended(2, plan, 111);
    expect(brokenBy(gone('cancelled', 3_000, plan))).toEqual([]);
    expect(brokenBy(gone('expired', 3_000, keyed({}, { expiresInMs: 50 })))).toEqual([]);
    // One that runs is aborted first, which its function notices a little later.
    const aborted = (until: number): WrittenHistory => gone('cancelled', 90, plan).attempt(1, 0, 50, until, undefined);
    expect(brokenBy(aborted(150))).toEqual([]);
    expect(brokenBy(aborted(900))).toEqual([order, atOnce]);
  });

  test('of another key, function or tenant may run meanwhile', () => {
    const strangers = [
      keyed({ key: 'order-2' }),
      keyed({}, { tenant: 'south' }),
      keyed({}, { function: 'rest' }),
      plainPlan,
    ];
    for (const stranger of strangers) {
      const history = accepted([plan, stranger]).attempt(1, 0, 100, 200, 200).ended(1, plan, 201);
      expect(brokenBy(history.attempt(2, 0, 50, 150, 200).ended(2, stranger, 151))).toEqual([]);
    }
  });
});

describe('an attempt that another worker makes again', () => {
  /** A worker has call 1 from 100 on; another one makes the attempt again, and then call 2 runs. */
  const again = (firstUntil: number, status: number | undefined): WrittenHistory =>
    accepted([plan, plan])
      .attempt(1, 0, 100, firstUntil, status, 'worker-1')
      .attempt(1, 0, 6_000, 6_100, 200, 'worker-2')
      .ended(1, plan, 6_101)
      .attempt(2, 0, 6_200, 6_900, 200, 'worker-2')
      .ended(2, plan, 6_901);

  test('after a crash keeps the place of its call', () => {
    const killed = again(200, undefined).fault(1, 'kill worker', 150, 900);
    expect(brokenBy(killed)).toEqual([]);
    const overtaken = accepted([plan, plan]).attempt(1, 0, 100, 200, undefined).fault(1, 'kill worker', 150, 900);
    overtaken.attempt(2, 0, 3_000, 3_100, 200, 'worker-2').ended(2, plan, 3_101);
    overtaken.attempt(1, 0, 6_000, 6_100, 200, 'worker-2').ended(1, plan, 6_101);
    expect(brokenBy(overtaken)).toEqual([order, atOnce]);
  });

  test('may run beside the next call if its worker has lost its lease, and not otherwise', () => {
    expect(brokenBy(again(6_500, 200).fault(1, 'partition worker', 150, 6_400))).toEqual([]);
    expect(brokenBy(again(6_500, 200).fault(1, 'partition worker', 150, 6_400, 'worker-3'))).toEqual(
      expect.arrayContaining([order, atOnce]),
    );
  });

  test('may run on after the first attempt has ended its call', () => {
    const first = accepted([plan, plan])
      .fault(1, 'pause worker', 150, 6_010)
      .attempt(1, 0, 100, 200, 200, 'worker-1')
      .attempt(1, 0, 6_000, 6_900, 200, 'worker-2')
      .ended(1, plan, 6_050)
      .attempt(2, 0, 6_100, 6_200, 200, 'worker-2')
      .ended(2, plan, 6_201);
    expect(brokenBy(first)).toEqual([]);
  });

  test('may come late from a worker that was held up', () => {
    const late = (name: string): WrittenHistory =>
      again(200, undefined).attempt(1, 0, 6_500, 6_600, 200, 'worker-1').fault(1, 'pause worker', 90, 6_450, name);
    expect(brokenBy(late('worker-1'))).toEqual([]);
    expect(brokenBy(late('worker-3'))).toEqual(expect.arrayContaining([order, atOnce]));
  });
});

describe('calls of a key with a parallelism', () => {
  const pair = keyed({ parallelism: 2 });

  test('run as many at once as it allows, in any order', () => {
    expect(
      brokenBy(
        ran(
          [
            [150, 300],
            [100, 200],
            [201, 400],
          ],
          pair,
        ),
      ),
    ).toEqual([]);
    expect(
      brokenBy(
        ran(
          [
            [100, 300],
            [110, 200],
            [150, 400],
          ],
          pair,
        ),
      ),
    ).toEqual([atOnce]);
  });

  test('count while they wait for a retry', () => {
    const own: Plan = { ...retried, flow: { key: 'order-1', parallelism: 2 } };
    const history = accepted([own, pair]).attempt(1, 0, 100, 110, 503).attempt(1, 1, 400, 410, 200);
    history.ended(1, own, 411).attempt(2, 0, 120, 300, 200).ended(2, pair, 301);
    expect(brokenBy(history)).toEqual([]);
    history.sent(3, pair).accepted(3).attempt(3, 0, 200, 210, 200).ended(3, pair, 211);
    expect(brokenBy(history)).toEqual([atOnce]);
  });

  test('have that of the function if it has one', () => {
    const bulk = keyed({ parallelism: 3 }, { function: 'bulk' });
    expect(
      brokenBy(
        ran(
          [
            [100, 300],
            [110, 300],
          ],
          bulk,
        ),
      ),
    ).toEqual([]);
    expect(
      brokenBy(
        ran(
          [
            [100, 300],
            [110, 300],
            [120, 300],
          ],
          bulk,
        ),
      ),
    ).toEqual([atOnce]);
  });
});

describe('calls of a key with a rate', () => {
  const limited = keyed({ parallelism: 5, rate: { count: 2, periodMs: 1_000 } });

  test('begin no more often than it allows in any window of its period', () => {
    expect(
      brokenBy(
        ran(
          [
            [100, 110],
            [150, 160],
            [1_101, 1_110],
            [1_151, 1_160],
          ],
          limited,
        ),
      ),
    ).toEqual([]);
    expect(brokenBy(ran([...two, [1_050, 1_060]], limited))).toEqual([rate]);
    expect(brokenBy(ran([...two, [1_050, 1_060]], keyed({ parallelism: 5 })))).toEqual([]);
  });

  test('use no further part of it for a retry, or for what is made again', () => {
    const own: Plan = { ...retried, flow: limited.flow! };
    const history = accepted([own, limited]).attempt(1, 0, 100, 110, 503).attempt(1, 1, 400, 410, 200);
    history.ended(1, own, 411).attempt(2, 0, 500, 510, 200).ended(2, limited, 511);
    expect(brokenBy(history)).toEqual([]);
  });

  test('do not count if a worker that was held up invokes them after they have ended', () => {
    const history = ran(two, limited).sent(3, limited).accepted(3);
    history
      .at(20, { kind: 'cancelling', request: 3 })
      .at(50, { kind: 'ended', callId: idOf(3), status: 'cancelled', attempts: 0 });
    history.attempt(3, 0, 180, 190, 200).fault(1, 'pause worker', 10, 170);
    expect(brokenBy(history)).toEqual([]);
  });

  test('count by their first invocation, however late that is', () => {
    const history = ran(two, limited).sent(3, limited).accepted(3);
    expect(brokenBy(history.attempt(3, 0, 1_060, 1_070, 200).ended(3, limited, 1_071))).toEqual([rate]);
  });
});
