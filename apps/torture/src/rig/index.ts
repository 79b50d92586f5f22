// The system under torture: its processes, their clocks, and who may call what.

export { type Access, createAccess, operator } from './access.ts';
export { setClock } from './clock.ts';
export { fleetOptions, paceFor, type RigOptions, workerHeader } from './rig.ts';
export { endsKeptMs } from './short-memory.ts';
