import { expect, test } from 'vitest';
import { checkHistory } from '../src/check/check-history.ts';
import type { Rule } from '../src/check/rules.ts';
import type { Plan } from '../src/plan.ts';
import { idOf, plainPlan, WrittenHistory } from './written-history.ts';

const plan: Plan = { ...plainPlan, steps: [{ status: 200, delayMs: 5 }], maxRetries: 5, bodyBytes: 10, chain: 2 };

/** A chain of three calls without faults, except for the end of its last step and its callbacks. */
function begun(): WrittenHistory {
  return new WrittenHistory()
    .sent(1, plan)
    .accepted(1)
    .attempt(1, 0, 10, 20, 200)
    .ended(1, plan, 21)
    .at(30, { kind: 'stepped', request: 1, step: 1, stepId: 'a', content: 'x', worker: 'worker-1' })
    .at(40, { kind: 'stepped', request: 1, step: 2, stepId: 'b', content: 'x', worker: 'worker-1' })
    .at(35, { kind: 'ended', callId: 'a', rootId: idOf(1), status: 'succeeded', attempts: 1 });
}

function whole(): WrittenHistory {
  return begun()
    .at(45, { kind: 'ended', callId: 'b', rootId: idOf(1), status: 'succeeded', attempts: 1 })
    .at(50, { kind: 'chain told', request: 1, webhookId: 'b', content: '200 x', status: 204 });
}

function brokenBy({ events }: WrittenHistory): Rule[] {
  return checkHistory(events).violations.map(({ rule }) => rule);
}

test('a chain without faults breaks no rule, and its steps do not count as strangers', () => {
  const verdict = checkHistory(whole().events);
  expect([verdict.violations, verdict.conservation]).toEqual([[], 0]);
});

test.each<[string, WrittenHistory, Rule]>([
  [
    'a step that became two calls',
    whole().at(60, { kind: 'stepped', request: 1, step: 2, stepId: 'c', content: 'x', worker: 'worker-2' }),
    'each step once',
  ],
  [
    'a step with two ends',
    whole().at(60, { kind: 'ended', callId: 'b', rootId: idOf(1), status: 'failed', attempts: 1 }),
    'each step has one end',
  ],
  [
    'a step that is lost',
    begun().at(50, { kind: 'chain told', request: 1, webhookId: 'b', content: '200 x', status: 204 }),
    'a chain goes on',
  ],
  [
    'a chain whose end is not called back',
    begun().at(45, { kind: 'ended', callId: 'b', rootId: idOf(1), status: 'succeeded', attempts: 1 }),
    'the end of a chain is told, and the same each time',
  ],
  [
    'a chain with callbacks for two ends',
    whole().at(60, { kind: 'chain told', request: 1, webhookId: 'b', content: '200 y', status: 204 }),
    'the end of a chain is told, and the same each time',
  ],
])('%s breaks its rule', (_, history, rule) => {
  expect(brokenBy(history)).toEqual([rule]);
});
