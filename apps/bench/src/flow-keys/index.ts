// What flow keys cost.

export { keyedDrainScenario, keyedOrderScenario } from './flow-keys.ts';
export { keyedLimitsScenario } from './flow-limits.ts';
