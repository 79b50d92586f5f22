import { expect, test } from 'vitest';
import { measureImpact } from '../src/check/impact.ts';
import { plainPlan as plan, WrittenHistory } from './written-history.ts';

test('the pause in accepting, refusals, broken connections and repeated attempts are those of the fault', () => {
  const history = new WrittenHistory();
  history.sent(1, plan, 900).accepted(1, 950).attempt(1, 0, 960, 970, 200);
  history.fault(1, 'kill NATS', 1_000, 6_000, 'all');
  history.sent(2, plan, 1_100).at(1_105, { kind: 'answered', request: 2, status: 503, code: 'broker_unavailable' });
  history.sent(3, plan, 1_200).at(3_000, { kind: 'broken', request: 3, error: 'ECONNRESET' });
  history.sent(4, plan, 4_000).accepted(4, 4_100).attempt(1, 0, 5_000, 5_010, 200);
  history.sent(5, plan, 6_900).accepted(5, 7_000);
  history.fault(2, 'slow network', 8_000, 8_500, 'none');
  history.sent(6, plan, 8_050).accepted(6, 9_060);

  expect(measureImpact(history.events)).toEqual([
    { name: 'kill NATS', times: 1, longestPauseMs: 3_150, refused: 1, broken: 1, slow: 1, repeated: 1 },
    { name: 'slow network', times: 1, longestPauseMs: 2_060, refused: 0, broken: 0, slow: 1, repeated: 0 },
  ]);
});

test('a pause may last to the end of the history', () => {
  const history = new WrittenHistory().fault(1, 'kill NATS', 1_000, 6_000, 'all');
  expect(measureImpact(history.events)).toMatchObject([{ longestPauseMs: 5_000 }]);
});
