// Chains: the steps that a caller names, and whether the caller may have them.

export { admitSteps } from './admit-steps.ts';
export { untilNextKnown } from './until-next-known.ts';
