import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkFunctionsFile } from './check-functions-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-check-'));
  await writeFile(join(folder, 'secret'), 'top-secret\n');
  await writeFile(join(folder, 'empty'), '\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function check(text: string, env: Record<string, string> = {}) {
  const path = join(folder, 'functions.yaml');
  await writeFile(path, text);
  const { functions, problems } = await checkFunctionsFile(path, env);
  return { functions, problems: problems.map((problem) => problem.replace(`${path}:`, '')) };
}

const report = (schedule: string) => `functions:
  report: { url: http://report }
schedules:
  nightly: { function: report, every: 1h, ${schedule} }
`;

test('a file that a gateway would start with has no problem, and its functions are counted', async () => {
  const webhook = 'functions:\n  a: { url: http://a, webhook: { verify: github, secretFiles: [secret] } }\n';
  expect(await check(webhook)).toEqual({ functions: 1, problems: [] });
  const schedule = report('path: /a?b, headers: { X-Label: nightly, X-Flow-Key: report }');
  expect(await check(schedule)).toEqual({ functions: 1, problems: [] });
});

test.each([
  ['headers: { X-Timeout: soon }', /^4: schedules\.nightly\.headers\.X-Timeout is refused: X-Timeout /],
  [
    'headers: { X-Call-Id: a }',
    /^4: schedules\.nightly\.headers\.X-Call-Id is refused: headers may not have X-Call-Id/,
  ],
  ['headers: { X-Flow-Control: rate=1 }', /^4: schedules\.nightly\.headers\.X-Flow-Control is refused: /],
  ['path: /../other', /^4: schedules\.nightly\.path is refused: /],
  [
    "headers: { X-Callback-Url: 'http://127.0.0.1/done' }",
    /^4: schedules\.nightly\.headers\.X-Callback-Url is refused: /,
  ],
])('what the calls of a schedule may not have is a problem: %s', async (schedule, problem) => {
  expect((await check(report(schedule))).problems).toEqual([expect.stringMatching(problem)]);
});

test('all problems are told at once: of schedules, of secrets, of the rest', async () => {
  const { problems } = await check(`functions:
  a: { url: http://a, webhook: { verify: github, secretFiles: [nowhere, empty] } }
  b: { url: nowhere }
schedules:
  nightly: { function: b, every: 1h, headers: { X-Delay: 1m } }
`);
  expect(problems).toEqual([
    expect.stringMatching(/^2: functions\.a\.webhook\.secretFiles\.0 nowhere cannot be read: ENOENT/),
    expect.stringMatching(/^2: functions\.a\.webhook\.secretFiles\.1 empty holds no secret/),
    expect.stringMatching(/^3: functions\.b\.url /),
    expect.stringMatching(/^5: schedules\.nightly\.headers\.X-Delay is refused: /),
  ]);
});

test('the settings of a gateway decide, and a wrong one is named', async () => {
  const callback = report("headers: { X-Callback-Url: 'http://127.0.0.1/done' }");
  expect(await check(callback, { CALLBACK_ALLOW: '127.0.0.1', CALLBACK_PORTS: '80', PORT: 'wrong' })).toMatchObject({
    functions: 1,
  });
  expect((await check(callback, { CALLBACK_PORTS: 'many' })).problems).toEqual([
    expect.stringMatching(/^CALLBACK_PORTS: "many" is not /),
  ]);
});
