import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ProgressReporter } from './progress-reporter.ts';

test('a line says how many files have ended, and which test of each running file runs for how long', () => {
  const lines: string[] = [];
  let now = 0;
  const reporter = new ProgressReporter({ write: (line) => lines.push(line), now: () => now, isTerminal: true });
  const [first, second] = [{ moduleId: resolve('a.test.ts') }, { moduleId: resolve('b.test.ts') }] as const;
  reporter.onTestRunStart([first, second, { moduleId: resolve('c.test.ts') }]);
  reporter.onTestModuleStart(first);
  reporter.onTestModuleStart(second);
  reporter.onTestModuleEnd(first);
  reporter.onTestCaseReady({ fullName: 'a call > ends', module: second });
  now = 34_000;
  reporter.report();
  expect(lines).toEqual([' 1 of 3 test files have ended, these run:\n   b.test.ts > a call > ends (34 s)\n']);
});
