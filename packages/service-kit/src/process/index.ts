// A process from its first signal to its exit code, and what every process can be configured by.

export { brokerAddress, commonConfig, host, opsAddress, opsPort, processConfig } from './common-config.ts';
export { type ProcessContext, runProcess } from './process.ts';
