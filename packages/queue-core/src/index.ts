export { AttemptRecord, type AttemptVerdict, decided, withAttempt, withoutHistory } from './attempts/index.ts';
export {
  BatchCounts,
  BatchEnd,
  BatchItem,
  type BatchKey,
  BatchState,
  type BatchView,
  batchUrlOf,
  endedOf,
  itemsOfPart,
  toBatchView,
} from './batches/index.ts';
export { bodyOwnerOf } from './bodies/index.ts';
export {
  addressOf,
  type BodyObject,
  bodyLengthOf,
  type Call,
  type CallAddress,
  type CallIdentity,
  type ChainStep,
  callHeader,
  climbs,
  connectionOptions,
  createCallId,
  decodeCall,
  emptyBody,
  encodeEnvelope,
  endToEndHeaders,
  type GenerationKey,
  generationTokens,
  type HeaderList,
  hasStarted,
  hopByHopHeaders,
  identityIn,
  identityOf,
  identityTokens,
  isCallId,
  isForwardable,
  isLabel,
  keyOf,
  maxLabelLength,
  maxLabels,
  maxParallelism,
  namespaceType,
  needsTurn,
  ownCallbackHeaders,
  ownerOf,
  parseFunctionName,
  queueNameType,
  showStep,
  withStorableHeaders,
} from './call/index.ts';
export {
  callbackFollowerId,
  callbackUrlOf,
  chainFields,
  chainHeaders,
  identityOfNext,
  maxChainDepth,
  maxChainSteps,
  type NextCall,
  nextCallOf,
  type ParentLife,
  rootOf,
  toNextCall,
} from './chain/index.ts';
export {
  type DurabilityLevel,
  type DurabilityShortfall,
  durabilityLevels,
  groupCommitSetting,
  natsSyncSetting,
} from './durability.ts';
export { atEndOfTick } from './end-of-tick.ts';
export { QueueError } from './errors.ts';
export { type CallEvent, functionOfEvent, otherFunctions, stateOfEvent } from './events/index.ts';
export { FairTurns } from './fair-turns.ts';
export {
  type FlowControl,
  type FlowKey,
  type FlowPlace,
  flowPlaceIn,
  flowPlaceOf,
  isFlowKey,
  type LimitSources,
} from './flows/index.ts';
export { forEachLimited } from './for-each-limited.ts';
export { mostLanes, type ProcessReport, type ReportedLane } from './processes/index.ts';
export { mayBeStored, type PublishResult, type RefusalReason, refused } from './publish-result.ts';
export {
  type ActiveCall,
  type BegunDelivery,
  bodyGone,
  CallbackState,
  type CallbackTask,
  type CallState,
  callbackTaskCodec,
  DeadLetter,
  type DeadLetterReason,
  deadLetterReasons,
  type EndedCall,
  ExpiryTimer,
  endFingerprint,
  isIdempotencyKey,
  Outcome,
  type Receipt,
  type ReceiptBatch,
  RunningReport,
  startFingerprint,
} from './records/index.ts';
export { retry } from './retry.ts';
export { RoundRobin } from './round-robin.ts';
export { type CallFilter, type CallStatus, callStatuses, createdAtMs } from './search/index.ts';
export {
  limitOfQueue,
  type StreamLimit,
  streamLimitSetting,
  streamLimitType,
  toStreamLimits,
} from './stream-limits.ts';
export { credentialsOf, type UrlCredentials } from './url-credentials.ts';
