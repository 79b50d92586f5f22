// The systems that are measured.

export { type AsyncfnSystem, startAsyncfn } from './asyncfn.ts';
export { type FillSettings, fillQueue, numberedCallId } from './backlog-filler.ts';
export { type BenchFunction, type FunctionReport, startBenchFunction } from './bench-function.ts';
export { type BullmqSettings, type BullmqWorkerSettings, startBullmq } from './bullmq.ts';
export { asShipped, type Extra, scraping, signing, signingSecret, silence, tokens, tracing } from './extras.ts';
export { type FloorSettings, type FloorWorkerSettings, startFloor } from './floor.ts';
export { type BrokerLoad, startNatsAlone } from './nats-alone.ts';
export { type PartsAlone, runSteady, type SteadyResult, type SteadySettings } from './steady.ts';
export type { RunOptions, System, SystemOptions } from './system.ts';
