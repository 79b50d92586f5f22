import { JetStreamApiError } from '@nats-io/jetstream';

/** JetStream's `err_code`s that asyncfn tells apart, by their names in nats-server's errors.json. */
export const errorCode = {
  accountResourcesExceeded: 10002,
  clusterPeersNotAvailable: 10005,
  consumerNotFound: 10014,
  insufficientResources: 10023,
  maximumConsumersLimit: 10026,
  maximumStreamsLimit: 10027,
  memoryResourcesExceeded: 10028,
  noMessageFound: 10037,
  sequenceNotFound: 10043,
  storageResourcesExceeded: 10047,
  streamInvalidConfig: 10052,
  messageExceedsMaximum: 10054,
  messageDeleteFailed: 10057,
  streamNotFound: 10059,
  streamWrongLastSequence: 10071,
  streamReplicasNotSupported: 10074,
  streamStoreFailed: 10077,
  headerExceedsMaximum: 10097,
  streamMaxBytesRequired: 10113,
  noLimitsForReplicas: 10120,
  streamMaxBytesExceeded: 10122,
  consumerAlreadyExists: 10148,
  streamWrongLastSequenceUnknown: 10164,
  batchTooLarge: 10167,
} as const;

type ErrorCodeName = keyof typeof errorCode;

/** Whether the JetStream API has answered with one of these errors. */
export function isApiError(error: unknown, ...names: readonly ErrorCodeName[]): error is JetStreamApiError {
  return error instanceof JetStreamApiError && names.some((name) => errorCode[name] === error.code);
}

/** The message that was to be removed is gone: nats-server has said so in three ways over its versions. */
export function isMessageGone(error: unknown): boolean {
  return isApiError(error, 'noMessageFound', 'sequenceNotFound', 'messageDeleteFailed');
}
