import { expect, test } from 'vitest';
import { checkHistory } from '../src/check/check-history.ts';
import type { Rule } from '../src/check/rules.ts';
import type { Plan } from '../src/plan.ts';
import { plainPlan, WrittenHistory } from './written-history.ts';

const plan: Plan = { ...plainPlan, maxRetries: 0 };
const failing: Plan = { ...plan, steps: [{ status: 422, delayMs: 0 }] };

const right = { total: 3, succeeded: 2, failed: 1, cancelled: 0, expired: 0, endedAt: new Date(2_030).toISOString() };

/** A batch of three calls. The last one ends at 2,025. */
function batch(): WrittenHistory {
  return new WrittenHistory()
    .wholeCall(1, plan, 0)
    .wholeCall(2, failing, 0)
    .wholeCall(3, plan, 2_000)
    .at(5, { kind: 'batched', batch: 1, batchId: 'b-1', requests: [1, 2, 3] })
    .quiet();
}

function told(end: object, history = batch(), status = 204): WrittenHistory {
  return history.at(2_040, { kind: 'batch told', batch: 1, webhookId: 'b-1', content: JSON.stringify(end), status });
}

function brokenBy({ events }: WrittenHistory): Rule[] {
  return checkHistory(events).violations.map(({ rule }) => rule);
}

test('a batch without faults breaks no rule, even if its callback comes twice', () => {
  expect(brokenBy(told(right))).toEqual([]);
  expect(brokenBy(told(right, told(right)))).toEqual([]);
});

test.each<[string, WrittenHistory, Rule[]]>([
  ['an end without a callback', batch(), ['the end of a batch is told']],
  ['an end that its receiver did not take', told(right, batch(), 500), ['the end of a batch is told']],
  ['two ends', told({ ...right, endedAt: new Date(2_031).toISOString() }, told(right)), ['a batch ends once']],
  [
    'a call that is counted twice because it was attempted twice',
    told({ ...right, succeeded: 1, failed: 2 }),
    ['a batch counts each of its calls once'],
  ],
  [
    'an end before the last call',
    told({ ...right, endedAt: new Date(500).toISOString() }),
    ['a batch ends after its last call'],
  ],
])('%s breaks its rule', (_, history, broken) => {
  expect(brokenBy(history)).toEqual(broken);
});
