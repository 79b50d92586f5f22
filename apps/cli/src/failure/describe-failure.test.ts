import { OptionError, ProblemError, UnexpectedAnswerError, UnreachableError } from '@asyncfn/client';
import { expect, test } from 'vitest';
import { usageError } from './cli-error.ts';
import { describeFailure } from './describe-failure.ts';

const problem = (status: number, code: string, retryAfterMs?: number) =>
  new ProblemError(status, { code, title: 'Title', detail: 'detail' }, retryAfterMs);

test.each([
  [usageError('x'), 2, 'usage'],
  [new OptionError('x'), 2, 'invalid_option'],
  [new UnreachableError('unreachable', 'x'), 3, 'unreachable'],
  [new UnexpectedAnswerError('x'), 3, 'unexpected_answer'],
  [problem(503, 'broker_unavailable'), 3, 'broker_unavailable'],
  [problem(401, 'unauthorized'), 4, 'unauthorized'],
  [problem(508, 'chain_too_deep'), 4, 'chain_too_deep'],
  [new TypeError('x'), 70, 'internal'],
])('%s ends with %i and is called %s', (error, exitCode, code) => {
  expect(describeFailure(error)).toMatchObject({ exitCode, code });
});

test("a problem's words, code and time to try again are all told, with advice if there is one", () => {
  expect(describeFailure(problem(429, 'rate_limited', 1_500)).message).toBe(
    'Title: detail (rate_limited)\nTry again in 2 s.',
  );
  expect(describeFailure(problem(401, 'unauthorized')).message).toContain('ASYNCFN_TOKEN');
});
