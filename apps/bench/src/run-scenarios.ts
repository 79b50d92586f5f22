import { type ScenarioResult, toNumber } from './report/index.ts';
import { type CaseResult, runCase } from './run-case.ts';
import type { Measurement, Scale } from './scenario.ts';
import type { Selected } from './select.ts';

/** Runs all cases one after the other, and prints a line for each measurement. */
export async function runScenarios(
  selected: readonly Selected[],
  { rounds }: Scale,
  progress: (line: string) => void,
): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const { scenario, cases } of selected) {
    const done: CaseResult[] = [];
    for (const each of cases) {
      progress(`${scenario.name}/${each.name}`);
      const result = await runCase(each, rounds, (subject, measurement) =>
        progress(`  ${subject}: ${describe(measurement)}`),
      );
      done.push(result);
    }
    const { name, title, figures, reference } = scenario;
    results.push({ name, title, figures, reference, cases: done });
  }
  return results;
}

function describe(measurement: Measurement): string {
  return Object.entries(measurement)
    .map(([name, value]) => `${name} ${toNumber(value)}`)
    .join(', ');
}
