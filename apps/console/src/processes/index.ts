// The processes, and what workers have learnt about functions.

export { type Learnt, liveProcesses, type Process } from './processes.ts';
