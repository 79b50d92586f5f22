export {
  addressOf,
  type Call,
  type CallAddress,
  type CallIdentity,
  callHeader,
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
  keyOf,
  namespaceType,
  ownerOf,
  parseFunctionName,
  queueNameType,
  withStorableHeaders,
} from './call/index.ts';
export { callbackFollowerId, chainHeaders, maxChainDepth, type ParentLife } from './chain/index.ts';
export { type DurabilityLevel, type DurabilityShortfall, durabilityLevels } from './durability.ts';
export { atEndOfTurn } from './end-of-turn.ts';
export { QueueError } from './errors.ts';
export { forEachLimited } from './for-each-limited.ts';
export { type PublishResult, type RefusalReason, refused } from './publish-result.ts';
export {
  type AliveCall,
  CallbackState,
  CallbackTask,
  type CallStanding,
  callbackTaskCodec,
  DeadLetter,
  type DeadLetterReason,
  deadLetterReasons,
  type EndedCall,
  ExpiryWord,
  HeldReport,
  isIdempotencyKey,
  Outcome,
  type Receipt,
  type ReceiptBatch,
} from './records/index.ts';
export {
  limitOfQueue,
  type StreamLimit,
  streamLimitSetting,
  streamLimitType,
  toStreamLimits,
} from './stream-limits.ts';
export { credentialsOf, type UrlCredentials } from './url-credentials.ts';
