// The scenarios: what is measured of which system. Each file is one scenario, and this is the list of them.

import { batchIntakeScenario } from '../batches/index.ts';
import { keyedDrainScenario, keyedLimitsScenario, keyedOrderScenario } from '../flow-keys/index.ts';
import { gatewayProfileScenario, workerProfileScenario } from '../profile/index.ts';
import type { Scenario } from '../scenario.ts';
import type { SystemOptions } from '../systems/index.ts';
import { acceptScenario, durableAcceptScenario } from './accept.ts';
import { backlogScenario } from './backlog.ts';
import { chosenIdsScenario } from './chosen-ids.ts';
import { coldScenario } from './cold.ts';
import { dispatchScenarios } from './dispatch.ts';
import { drainScenario, functionsScenario, workersScenario } from './drain.ts';
import { endToEndScenario } from './end-to-end.ts';
import { gatewayExtrasScenario, workerExtrasScenario } from './extras.ts';
import { gatewaysScenario } from './gateways.ts';
import { idleScenario } from './idle.ts';
import { neighboursScenario } from './neighbours.ts';

const all = [
  acceptScenario,
  durableAcceptScenario,
  gatewaysScenario,
  drainScenario,
  workersScenario,
  functionsScenario,
  coldScenario,
  endToEndScenario,
  backlogScenario,
  neighboursScenario,
  chosenIdsScenario,
  batchIntakeScenario,
  keyedDrainScenario,
  keyedOrderScenario,
  keyedLimitsScenario,
  idleScenario,
  gatewayExtrasScenario,
  workerExtrasScenario,
  gatewayProfileScenario,
  workerProfileScenario,
];

/** All scenarios, in the order in which they run. */
export function createScenarios(options: SystemOptions): Scenario[] {
  return [...all.map((create) => create(options)), ...dispatchScenarios(options)];
}
