export { type AppName, AppProcess, builtMain, type LogLine, type OpsAnswer } from './app-process.ts';
export {
  type Attack,
  type AttackerServer,
  type AttackName,
  type AttackTarget,
  attackerFunctions,
  attacks,
  startAttackerServer,
} from './attacks/index.ts';
export {
  type ApiAnswer,
  ApiClient,
  CallClient,
  type CallRequest,
  type CallState,
  EventsClient,
  type EventsClientOptions,
  type SystemEvent,
} from './clients/index.ts';
export { fillQueues } from './fill-queues.ts';
export { type Fleet, type FleetOptions, type Node, type Seat, startFleet } from './fleet.ts';
export type { FunctionEntries } from './functions-text.ts';
export { type Load, startLoad } from './load.ts';
export { openSmallDisk, type SmallDisk, type SmallDiskResult } from './small-disk.ts';
export { type Env, type Stack, type StackOptions, startStack } from './stack.ts';
