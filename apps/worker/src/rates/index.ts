// The starts of functions with a rate: this worker's share of them, and the gate that a call passes with one.

export type { RateShare } from './rate-share.ts';
export { createRateShares, type RateShares } from './rate-shares.ts';
export { RatedEntrance } from './rated-entrance.ts';
