import type { Scenario } from '../scenario.ts';
import type { SystemOptions } from '../systems/system.ts';
import { acceptScenario, durableAcceptScenario } from './accept.ts';
import { backlogScenario } from './backlog.ts';
import { dispatchScenarios } from './dispatch.ts';
import { drainScenario, functionsScenario, workersScenario } from './drain.ts';
import { endToEndScenario } from './end-to-end.ts';
import { gatewayExtrasScenario, workerExtrasScenario } from './extras.ts';
import { gatewaysScenario } from './gateways.ts';

const all = [
  acceptScenario,
  durableAcceptScenario,
  gatewaysScenario,
  drainScenario,
  workersScenario,
  functionsScenario,
  endToEndScenario,
  backlogScenario,
  gatewayExtrasScenario,
  workerExtrasScenario,
];

/** All scenarios, in the order in which they run. */
export function createScenarios(options: SystemOptions): Scenario[] {
  return [...all.map((create) => create(options)), ...dispatchScenarios(options)];
}
