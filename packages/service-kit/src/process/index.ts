// Runs a process from its first signal to its exit code, and the settings that every process has.

export { brokerAddress, commonConfig, host, opsAddress, opsPort, processConfig, processes } from './common-config.ts';
export { type ProcessContext, runProcess } from './process.ts';
export { runProcesses } from './processes.ts';
