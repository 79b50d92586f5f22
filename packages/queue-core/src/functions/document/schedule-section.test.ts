import { expect, test } from 'vitest';
import type { ScheduleSettings } from '../../schedules/index.ts';
import type { DocumentContext } from './document-context.ts';
import { parseFunctions } from './functions-document.ts';

function parsed(text: string, context: DocumentContext = {}) {
  const result = parseFunctions(text, context);
  return result.kind === 'functions'
    ? { schedules: [...result.definition.schedules], problems: [] }
    : { schedules: [], problems: result.problems.map(({ line, path, problem }) => `${line}: ${path} ${problem}`) };
}

test('a functions file has schedules, each with its settings', () => {
  const text = `
functions: { report: { url: http://report } }
schedules:
  nightly: { function: report, cron: "0 3 * * *", json: { full: true } }
  poll: { function: report, every: 10m }
`;
  expect(parsed(text)).toEqual({
    schedules: [
      ['nightly', { function: 'report', cron: '0 3 * * *', json: { full: true } }],
      ['poll', { function: 'report', every: '10m' }],
    ],
    problems: [],
  });
  expect(parsed('schedules:').problems).toEqual([]);
});

test('a wrong schedule is reported with its line', () => {
  const text = `functions: { report: { url: http://report } }
schedules:
  a.b: { function: report, every: 1m }
  late: { function: report, cron: "0 25 * * *", colour: red }
  gone: { function: other, every: 1m }
  none: 5
`;
  expect(parsed(text).problems).toEqual([
    '3: schedules.a.b must match [A-Za-z0-9_-]{1,63}',
    '4: schedules.late.cron is not valid: Invalid value for hour: 25',
    '4: schedules.late.colour is not a known setting',
    '5: schedules.gone.function names the function other, which is not among the functions',
    expect.stringMatching(/^6: schedules\.none must be a map of settings/),
  ]);
});

test('a gateway reports the calls that it would refuse with their lines, together with all other problems', () => {
  const text = `functions: { report: { url: http://report } }
schedules:
  gone: { function: other, every: 1m }
  refused:
    function: report
    every: 1m
    headers:
      X-Timeout: "0"
`;
  const callProblems = ({ headers }: ScheduleSettings) =>
    Object.keys(headers ?? {}).map((name) => ({ keys: ['headers', name], problem: 'is refused' }));
  expect(parsed(text, { callProblems }).problems).toEqual([
    '3: schedules.gone.function names the function other, which is not among the functions',
    '8: schedules.refused.headers.X-Timeout is refused',
  ]);
});

test('annotations of the cron-connector make a schedule of the name of the function, unless one is written', () => {
  const text = `
provider: { name: openfaas, gateway: http://gateway:8080 }
functions:
  report: { annotations: { topic: cron-function, schedule: "*/5 * * * *" } }
  poll: { namespace: team, annotations: { topic: cron-function, schedule: "@every 1m" } }
schedules:
  report: { function: report, every: 1h }
`;
  expect(new Map(parsed(text).schedules)).toEqual(
    new Map<string, object>([
      ['report', { function: 'report', every: '1h' }],
      ['poll-team', { function: 'poll.team', every: '1m' }],
    ]),
  );
  const wrong = 'functions: { a: { url: "http://a", annotations: { topic: cron-function, schedule: x } } }';
  expect(parsed(wrong).problems).toEqual([
    expect.stringMatching(/^1: functions\.a\.annotations\.schedule must have five/),
  ]);
});
