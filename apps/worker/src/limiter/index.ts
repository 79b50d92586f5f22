// How many calls a function gets at once.

export { type Entrance, LaneGate, type Pass } from './lane-gate.ts';
export { toLimiterSignal } from './limiter-signal.ts';
