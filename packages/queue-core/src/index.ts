export { type Call, createCallId, type HeaderList, hasStarted } from './call.ts';
export {
  addressOf,
  type CallAddress,
  type CallIdentity,
  identityIn,
  identityOf,
  identityTokens,
  isCallId,
  isSameCall,
  ownerOf,
} from './call-identity.ts';
export type { AliveCall, CallStanding, EndedCall } from './call-standing.ts';
export {
  type CallbackObjection,
  CallbackPolicy,
  type CallbackRules,
} from './callback-guard/callback-policy.ts';
export { type CallbackUrl, readCallbackUrl } from './callback-guard/callback-url.ts';
export { addressBlock } from './callback-guard/ip-network.ts';
export { type PortRange, portRangeType } from './callback-guard/port-range.ts';
export { callbackRuleSettings } from './callback-guard/settings.ts';
export { type TargetRule, targetRuleType } from './callback-guard/target-rule.ts';
export { type CallbackTask, callbackTaskCodec } from './callback-task.ts';
export { chainHeaders, maxChainDepth } from './chain/chain-headers.ts';
export { callbackFollowerId, type ParentLife } from './chain/derive-call-id.ts';
export { callHeader, type DecodedCall, decodeCall, encodeEnvelope } from './codec.ts';
export { type DeadLetter, type DeadLetterReason, deadLetterReasons } from './dead-letter.ts';
export { type Durability, type DurabilityLevel, type DurabilityShortfall, durabilityLevels } from './durability.ts';
export { atEndOfTurn } from './end-of-turn.ts';
export { connectionOptions, endToEndHeaders, hopByHopHeaders } from './end-to-end-headers.ts';
export { QueueError, type QueueErrorCode } from './errors.ts';
export type { ExpiryDecision, ExpiryWord } from './expiry.ts';
export { forEachLimited } from './for-each-limited.ts';
export { type FunctionName, namespaceType, parseFunctionName, queueNameType } from './function-name.ts';
export {
  type FileDefinition,
  noFile,
  type ParsedEntry,
  parseFunctionEntry,
  withoutFile,
} from './functions/document/functions-document.ts';
export { FunctionsFile, FunctionsFileError, type FunctionsReload } from './functions/document/functions-file.ts';
export type { FunctionSettings } from './functions/document/functions-schema.ts';
export type { FunctionConfig, RetrySettings } from './functions/function-config.ts';
export { defaultQueue, mostRegistered } from './functions/function-config.ts';
export type { FunctionEntry } from './functions/function-entry.ts';
export { type FunctionNames, FunctionRegister } from './functions/function-register.ts';
export type { KnownFunction } from './functions/shared-functions.ts';
export { keepCredentials } from './functions/url/kept-credentials.ts';
export { type GenerationKey, generationTokens, keyOf } from './generation.ts';
export type { HeldReport } from './held-call.ts';
export { isIdempotencyKey } from './idempotency-key.ts';
export { type Backlog, BacklogReader, type LaneBacklog } from './jetstream/backlog.ts';
export { Broker, type BrokerOptions, type QueueLogger } from './jetstream/broker.ts';
export { CallCanceller, type CancelResult } from './jetstream/call-canceller.ts';
export { CallFinder } from './jetstream/call-finder.ts';
export { CallPurge, type PurgeTarget } from './jetstream/call-purge.ts';
export { type AcceptResult, CallQueue } from './jetstream/call-queue.ts';
export { CallRemover } from './jetstream/call-remover.ts';
export { CallSource, type CallSourceListener, type LaneId } from './jetstream/call-source.ts';
export { type CallbackRecord, CallStore, type StoredOutcome } from './jetstream/call-store.ts';
export { type CallWatch, CallWatches, type WatchScope } from './jetstream/call-watches.ts';
export { type CallbackDelivery, CallbackSource } from './jetstream/callback-source.ts';
export { CallbackStore } from './jetstream/callback-store.ts';
export { CancelIntents } from './jetstream/cancel-intents.ts';
export { CancelSweeper } from './jetstream/cancel-sweeper.ts';
export { CommitMode, createGroupCommit, type GroupCommitMode, groupCommitModes } from './jetstream/commit-mode.ts';
export { BrokerPulse, pulseMs } from './jetstream/connecting/broker-pulse.ts';
export { findSettingProblems } from './jetstream/connecting/settings-files.ts';
export { initialAckWaitMs, type LaneState } from './jetstream/consumers.ts';
export type { BulkReplayResult } from './jetstream/dead-letter-bulk.ts';
export type { StoredDeadLetter } from './jetstream/dead-letter-message.ts';
export type { BrokerTrouble, ReplayObstacle, ReplayResult } from './jetstream/dead-letter-replayer.ts';
export type { DeadLetterEntry, DeadLetterPage } from './jetstream/dead-letter-scan.ts';
export { type DeadLetterQuery, DeadLetterStore } from './jetstream/dead-letter-store.ts';
export type { Delivery } from './jetstream/delivery.ts';
export { type DurabilityOptions, DurabilityWatch } from './jetstream/durability.ts';
export { isFresh } from './jetstream/ends/end-memory.ts';
export { OutcomePruner } from './jetstream/ends/outcome-pruner.ts';
export { type ExpiryDelivery, ExpirySource } from './jetstream/expiry-source.ts';
export { type ClaimResult, ExpiryStore } from './jetstream/expiry-store.ts';
export { GroupCommit } from './jetstream/group-commit.ts';
export { Handovers } from './jetstream/handovers.ts';
export { answerForHeldCalls, type HeldCallDesk } from './jetstream/holders/held-call-desk.ts';
export { HolderLine } from './jetstream/holders/holder-line.ts';
export { MoveNotices } from './jetstream/holders/move-notices.ts';
export type { AcceptOptions, EarlierCall } from './jetstream/intake/careful-intake.ts';
export { followCreatedLanes, followDeletedLanes, followPausedLanes } from './jetstream/lane-advisories.ts';
export { StreamRoom } from './jetstream/layout/stream-room.ts';
export { StreamWatch } from './jetstream/layout/stream-watch.ts';
export { OverdueSchedules } from './jetstream/overdue-schedules.ts';
export { Publisher } from './jetstream/publisher.ts';
export { QueueGauge } from './jetstream/queue-gauge.ts';
export { type FunctionLoad, type QueueCount, QueueInspector, type QueueState } from './jetstream/queue-inspector.ts';
export { type LaneTarget, QueueTopology } from './jetstream/queue-topology.ts';
export { ReceiptMemory } from './jetstream/receipts/receipt-memory.ts';
export { type ReceiptDelivery, ReceiptSource } from './jetstream/receipts/receipt-source.ts';
export { type CallWhereabouts, ReceiptStore } from './jetstream/receipts/receipt-store.ts';
export { maxBodyBytes } from './jetstream/server-check.ts';
export { type ChangeDecision, type RegisterChange, SharedRegister } from './jetstream/shared-register.ts';
export { type NameLimits, UnregisteredNames } from './jetstream/unregistered-names.ts';
export type { CallbackState, Outcome } from './outcome.ts';
export { type PublishResult, type RefusalReason, refused } from './publish-result.ts';
export type { Receipt, ReceiptBatch } from './receipt.ts';
export { type Redirect, redirectOf } from './settle/redirect.ts';
export {
  type Backoff,
  backoffMs,
  defaultRetryPolicy,
  parseRetryAfter,
  type RetryPolicy,
} from './settle/retry-policy.ts';
export {
  type Attempt,
  type FailureReason,
  type RetryReason,
  retryLimit,
  settle,
  type Verdict,
} from './settle/settle.ts';
export { toRetryPolicy } from './settle/to-retry-policy.ts';
export { withStorableHeaders } from './storable-headers.ts';
export {
  limitOfQueue,
  type StreamLimit,
  streamLimitSetting,
  streamLimitType,
  toStreamLimits,
} from './stream-limits.ts';
export { credentialsOf, type UrlCredentials } from './url-credentials.ts';
export { CallbackVerifier } from './webhook/callback-verifier.ts';
export { type CallbackSignatureHeaders, signCallback } from './webhook/sign-callback.ts';
export { signWebhook, type WebhookHeaders } from './webhook/sign-webhook.ts';
export { createSigningSecret, parseSigningSecret, signingSecretType } from './webhook/signing-secret.ts';
export { type SignatureVerdict, WebhookVerifier } from './webhook/webhook-verifier.ts';
