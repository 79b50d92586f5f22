import type { Environment } from '../environment.ts';
import type { CaseResult } from '../run-case.ts';
import type { Figure, ScaleName } from '../scenario.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly reference: string;
  readonly cases: readonly CaseResult[];
}

/** A whole run, as in the JSON file. */
export interface Report {
  readonly environment: Environment;
  readonly scale: ScaleName;
  readonly scenarios: readonly ScenarioResult[];
}
