import { describe, expect, test } from 'vitest';
import { type ProblemCode, problems, RefusalError, refusal, renderProblem, toRefusal } from './problem.ts';

test.each(Object.keys(problems) as ProblemCode[])('the problem %s says its code, status and title', (code) => {
  expect(JSON.parse(renderProblem(refusal(code, 'Why.')))).toEqual({
    type: `urn:asyncfn:problem:${code}`,
    title: problems[code].title,
    status: problems[code].status,
    detail: 'Why.',
    code,
  });
});

describe('toRefusal', () => {
  test('returns the refusal that an error carries', () => {
    const refused = refusal('queue_full', 'Why.', { 'Retry-After': '1' });
    expect(toRefusal(new RefusalError(refused))).toBe(refused);
  });

  test.each([
    [404, 'not_found'],
    [415, 'malformed_request'],
    [500, 'internal_error'],
    [200, 'internal_error'],
  ])('an error with status %i is %s', (statusCode, code) => {
    expect(toRefusal(Object.assign(new Error('internals'), { statusCode }))).toMatchObject({ code });
  });

  test.each([new Error('internals'), 'internals', undefined, null, { statusCode: 400 }])(
    'an error without a problem (%s) is an internal error that reveals nothing',
    (thrown) => {
      const refused = toRefusal(thrown);
      expect(refused).toMatchObject({ code: 'internal_error', cause: thrown });
      expect(renderProblem(refused)).not.toContain('internals');
    },
  );
});
