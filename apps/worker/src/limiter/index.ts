// How many calls a function gets at once.

export { LaneGate, type Pass } from './lane-gate.ts';
export { toLimiterSignal } from './limiter-signal.ts';
