// The faults.

export type { Fault } from './fault.ts';
export { Naps } from './naps.ts';
export { allFaults, runFaults } from './schedule.ts';
