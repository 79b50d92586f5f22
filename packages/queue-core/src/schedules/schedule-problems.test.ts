import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scheduleNameProblem, scheduleProblems } from './schedule-problems.ts';

const fine = { function: 'report', cron: '0 3 * * *' };

function problemsOf(settings: unknown): string[] {
  return scheduleProblems(settings).map(({ keys, problem }) => [...keys, problem].join(' '));
}

describe('settings of a schedule', () => {
  test.each([
    fine,
    { function: 'report.team', every: '1s' },
    { function: 'report', every: '1m', timeZone: 'Europe/Berlin' },
    { ...fine, cron: '@Daily', timeZone: 'Europe/Berlin', overlap: 'skip', catchUp: 'all', catchUpWindow: '2h' },
    { ...fine, path: '/a?b', headers: { 'X-Label': ['a', 'b'], a: 'b' }, json: null, jitter: '30s', paused: true },
    { ...fine, bodyBase64: 'AAH/' },
    { ...fine, body: '' },
    { ...fine, cron: '*/5 8-18 * JAN-MAR MON-FRI' },
  ])('%j are right', (settings) => {
    expect(problemsOf(settings)).toEqual([]);
  });

  test.each<[unknown, string | RegExp]>([
    ['nightly', /^must be a map of settings/],
    [{ cron: '0 3 * * *' }, 'function must name the function to call'],
    [{ ...fine, function: 'a b' }, 'function must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}'],
    [{ function: 'f' }, 'must have one of cron and every'],
    [{ ...fine, every: '1m' }, 'must have only one of cron and every'],
    [{ ...fine, cron: '0 3 * *' }, /^cron must have five fields/],
    [{ ...fine, cron: '0 0 3 * * *' }, /^cron must have five fields/],
    [{ ...fine, cron: '@reboot' }, /^cron must have five fields/],
    [{ ...fine, cron: '? 3 * * *' }, /^cron must have five fields/],
    [{ ...fine, cron: 5 }, /^cron must have five fields/],
    [{ ...fine, cron: '61 3 * * *' }, 'cron is not valid: Invalid value for minute: 61'],
    [{ ...fine, cron: '0 3 31 2 *' }, 'cron has no time in the future'],
    [{ ...fine, timeZone: 'Europe/Nowhere' }, /^timeZone must be a time zone of the IANA database/],
    [{ ...fine, timeZone: '+02:00' }, /^timeZone must be a time zone of the IANA database/],
    [{ function: 'f', every: '999ms' }, /^every must be a duration from 1s/],
    [{ function: 'f', every: 60 }, /^every must be a duration from 1s/],
    [{ ...fine, overlap: 'never' }, 'overlap must be allow, skip or queue'],
    [{ ...fine, catchUp: true }, 'catchUp must be none, latest or all'],
    [{ ...fine, catchUpWindow: '8d' }, /^catchUpWindow must be a duration up to 7d/],
    [{ ...fine, jitter: 'some' }, /^jitter must be a duration up to 24h/],
    [{ ...fine, paused: 'yes' }, 'paused must be true or false'],
    [{ ...fine, path: 'a' }, /^path must begin with a slash/],
    [{ ...fine, headers: { a: 'b\r\nc: d' } }, /^headers must be a map of header names/],
    [{ ...fine, headers: { 'a b': 'c' } }, /^headers must be a map of header names/],
    [{ ...fine, headers: { a: 1 } }, /^headers must be a map of header names/],
    [{ ...fine, body: 1 }, 'body must be a text; for other values use json'],
    [{ ...fine, bodyBase64: 'a' }, 'bodyBase64 must be a text in base64 (RFC 4648, 4)'],
    [{ ...fine, body: 'a', json: 1 }, 'may have only one of body, bodyBase64, json'],
    [{ ...fine, body: 'a'.repeat(70_000) }, 'must not exceed 65536 bytes as JSON, body included'],
    [{ ...fine, constructor: 1 }, 'constructor is not a known setting'],
  ])('%j are wrong', (settings, problem) => {
    expect(problemsOf(settings)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  test('have all their problems reported at once', () => {
    expect(problemsOf({ cron: 'x', overlap: 1, unknown: 2 })).toHaveLength(4);
  });

  test('can be any value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => scheduleProblems(value).every(({ problem }) => problem !== '')));
  });

  test('that are nested too deeply to be written are too large', () => {
    const deep = JSON.parse(`${'['.repeat(1e5)}${']'.repeat(1e5)}`) as unknown;
    expect(problemsOf({ ...fine, json: deep })).toEqual([expect.stringMatching(/^must not exceed/)]);
  });
});

test('the name of a schedule is one token of a subject (P7)', () => {
  expect(scheduleNameProblem('nightly-2_A')).toBeUndefined();
  for (const name of ['', 'a.b', '*', '>', 'a b', 'x'.repeat(64)]) {
    expect(scheduleNameProblem(name)).toBe('must match [A-Za-z0-9_-]{1,63}');
  }
});
