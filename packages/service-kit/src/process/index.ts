// A process from its first signal to its exit code: start, phases of the stop, what every process can be configured
// by.

export { brokerAddress, commonConfig, host, opsAddress, opsPort, processConfig } from './common-config.ts';
export { createService, type Service } from './lifecycle.ts';
export { type Phase, runPhases } from './phases.ts';
export { type ProcessContext, runProcess } from './process.ts';
