import type { Case, Scale, Scenario } from './scenario.ts';

/** A scenario with the cases to measure. */
export interface Selected {
  readonly scenario: Scenario;
  readonly cases: readonly Case[];
}

/** The cases whose `scenario/case` contains one of the filters; all if there are no filters. */
export function select(scenarios: readonly Scenario[], filters: readonly string[], scale: Scale): Selected[] {
  const isWanted = (path: string): boolean => filters.length === 0 || filters.some((each) => path.includes(each));
  return scenarios
    .map((scenario) => ({
      scenario,
      cases: scenario.cases(scale).filter(({ name }) => isWanted(`${scenario.name}/${name}`)),
    }))
    .filter(({ cases }) => cases.length > 0);
}
