// Which part of a process takes its CPU time, from V8's sampling profiler.

export { gatewayProfileScenario, workerProfileScenario } from './scenarios.ts';
