// Processes of a benchmark, and what they use.

export { runProgram, startProgram } from './child-process.ts';
export { limitCpus } from './cpu-quota.ts';
export { cpuMicros } from './cpu-time.ts';
export { residentMiB } from './memory.ts';
