// The writes that settling and callbacks share: insisting on one, and burying what failed.

export { bury, type Original } from './bury.ts';
export { type InsistOptions, insist, mayPass } from './insist.ts';
export type { OnSettleStep } from './settle-step.ts';
