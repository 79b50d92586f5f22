// The processes of a benchmark, and the CPU time and memory that they use.

export { runProgram, startProgram } from './child-process.ts';
export { limitCpus } from './cpu-quota.ts';
export { cpuMicros } from './cpu-time.ts';
export { residentMiB } from './memory.ts';
