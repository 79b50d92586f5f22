// What flow keys cost.

export { keyedDrainScenario, keyedOrderScenario } from './flow-keys.ts';
