// All that speaks NATS. Nothing outside of this folder imports `@nats-io/*`.

export {
  type BatchDelivery,
  type BatchNotice,
  BatchRetention,
  BatchSource,
  BatchStore,
  LostEnds,
  type StoredBatch,
} from './batches/index.ts';
export {
  BodyConnection,
  BodyError,
  BodyRoom,
  BodyStore,
  BodySweeper,
  BodyUpload,
  bodySpace,
  type RemoveResult,
  type RoomShare,
  readBytes,
  uploadBytes,
} from './bodies/index.ts';
export { type BrokerLink, createBrokerLink } from './broker-link.ts';
export {
  CallCanceller,
  CallPurge,
  type CancelResult,
  type CancelSweeper,
  type ChainCanceller,
  createCallControl,
  type HoldBody,
  type PurgeTarget,
} from './cancel/index.ts';
export { Broker, BrokerPulse, findSettingProblems, pulseMs } from './connecting/index.ts';
export {
  type CallbackDelivery,
  CallbackSource,
  CallSource,
  type Delivery,
  type ExpiryDelivery,
  ExpirySource,
  followCreatedLanes,
  followDeletedLanes,
  followPausedLanes,
  Handovers,
  type LaneId,
  type WorkDelivery,
} from './consume/index.ts';
export {
  type BrokerTrouble,
  type DeadLetterEntry,
  type DeadLetterPage,
  DeadLetterStore,
  type ReplayRefusal,
  type ReplayResult,
  type StoredDeadLetter,
} from './dead-letters/index.ts';
export { CallEraser, type EraseResult } from './erase/index.ts';
export {
  type EventListener,
  EventPublisher,
  type EventRelease,
  EventSubscription,
  type LossReason,
} from './events/index.ts';
export { endTurn, type FlowInfo, type FlowPage, type FlowPosition, Flows } from './flows/index.ts';
export {
  type AcceptOptions,
  type AcceptResult,
  AdmissionControl,
  CallQueue,
  DurabilityWatch,
  type NameLimits,
  UnregisteredNames,
} from './intake/index.ts';
export {
  initialAckWaitMs,
  isFresh,
  type LaneState,
  type LaneTarget,
  maxBodyBytes,
  QueueTopology,
  StreamRoom,
  StreamWatch,
} from './layout/index.ts';
export {
  type Backlog,
  BacklogReader,
  type CallFinder,
  CallWatch,
  CallWatches,
  type FunctionLoad,
  type QueueCount,
  QueueInspector,
  type QueueState,
  type WatchScope,
} from './lookup/index.ts';
export { OutcomePruner, OverdueSchedules } from './maintenance/index.ts';
export { type OwnFacts, ProcessDirectory, reportProcess } from './processes/index.ts';
export { createGroupCommit, Publisher } from './publish/index.ts';
export { RateStore, type ReadLedger } from './rates/index.ts';
export {
  type CallWhereabouts,
  type ReceiptDelivery,
  ReceiptMemory,
  ReceiptSource,
  ReceiptStore,
} from './receipts/index.ts';
export { type ChangeDecision, type RegisterChange, resumedByGatewayMs, SharedRegister } from './register/index.ts';
export {
  CallChangeNotifier,
  RunningCallClient,
  type RunningCallResponder,
  serveRunningCalls,
} from './running-calls/index.ts';
export {
  LostMoments,
  type MomentDelivery,
  MomentSource,
  type MomentStep,
  type NextMoment,
  ScheduleStore,
  type StoredRuns,
  type StoredSchedule,
} from './schedules/index.ts';
export {
  CallSearch,
  type CallSearchDependencies,
  type LivingCall,
  LivingCalls,
  type SearchPage,
  type SearchPosition,
} from './search/index.ts';
export { StepQueue, type StepResult } from './steps/index.ts';
export {
  type CallbackRecord,
  CallbackStore,
  CallStore,
  type ClaimResult,
  ExpiryStore,
  type StoredOutcome,
  toCancelled,
} from './store/index.ts';
