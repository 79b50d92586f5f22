export type { ProcessExit } from './guardian-protocol.ts';
export { SpawnError, type SpawnErrorCode } from './spawn-error.ts';
export { type GuardedOptions, type GuardedProcess, type OutputStream, spawnGuarded } from './spawn-guarded.ts';
