import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { bodyBucket, bodyChunkFilter, bodyRecordFilter } from '../../bodies/index.ts';
import { claimSubjects, missingReceiptFilter } from '../../records/index.ts';
import { scheduleSubjects } from '../../schedules/index.ts';
import { toEndMetadata } from './end-memory.ts';

const nanosPerMs = 1_000_000;
const hourMs = 60 * 60 * 1000;
const gibibyte = 1024 ** 3;

export const outcomeStream = 'OUTCOMES';
export const cancelStream = 'CANCELS';
export const deadLetterStream = 'DEAD_LETTERS';
export const callbackStream = 'CALLBACKS';
export const expiryStream = 'EXPIRIES';
export const receiptStream = 'RECEIPTS';
export const handoverStream = 'HANDOVERS';
export const scheduleStream = 'SCHEDULES';
export const rateStream = 'RATES';

/** As the object store names the stream of a bucket. */
export const bodyStream = `OBJ_${bodyBucket}`;

export const bucketName = 'FUNCTIONS';
export const bucketStream = `KV_${bucketName}`;
export const bucketKeyPrefix = `$KV.${bucketName}.`;
/** Many times the possible size of a function's settings. */
const maxEntryBytes = 64 * 1024;

type NamedConfig = Partial<StreamConfig> & { readonly name: string };

function commonConfig(replicas: number) {
  return { storage: StorageType.File, discard: DiscardPolicy.Old, num_replicas: replicas, allow_direct: true };
}

/** The stream of dead letters. Its bytes are bounded, and so reserved: see `ensureStreamWithRoom`. */
export function deadLetterStreamConfig(replicas: number): NamedConfig & { readonly max_bytes: number } {
  return {
    ...commonConfig(replicas),
    name: deadLetterStream,
    subjects: ['dead.*.*.*.*.*.*.*'],
    retention: RetentionPolicy.Limits,
    max_age: 7 * 24 * hourMs * nanosPerMs,
    max_bytes: gibibyte,
    // A call that fails again after a replay replaces its first dead letter.
    max_msgs_per_subject: 1,
  };
}

/**
 * The streams beside the queues: outcomes, cancel intents, and what is scheduled.
 * @param resultTtlMs how long outcomes of finished calls are kept
 */
export function recordStreamConfigs(replicas: number, resultTtlMs?: number): NamedConfig[] {
  const common = commonConfig(replicas);
  return [
    {
      ...common,
      name: outcomeStream,
      subjects: ['outcomes.*.*.*.*', 'outcomes.*.*.*.*.callback'],
      retention: RetentionPolicy.Limits,
      // Workers remove outcomes, except those of active calls: see `OutcomePruner`.
      max_age: 0,
      metadata: toEndMetadata(resultTtlMs),
      max_msgs_per_subject: 1,
      allow_msg_ttl: true,
      allow_atomic: true,
    },
    {
      ...common,
      name: cancelStream,
      subjects: ['cancels.*.*.*.*'],
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
    },
    {
      // Without limits, for the reasons that the queues have none.
      ...common,
      name: callbackStream,
      subjects: ['callbacks.ready.*.*.*.*', 'callbacks.later.*.*.*.*'],
      retention: RetentionPolicy.Workqueue,
      allow_msg_schedules: true,
      allow_msg_ttl: true,
    },
    {
      ...common,
      name: expiryStream,
      // Decisions of the first writer, made once: whether a call expires, and which call has an id or a key.
      subjects: ['expiries.later.*.*.*.*', 'expiries.due.*.*.*.*', 'expiries.claim.*.*.*.*', ...claimSubjects],
      retention: RetentionPolicy.Workqueue,
      allow_msg_schedules: true,
      allow_msg_ttl: true,
    },
    {
      ...common,
      name: receiptStream,
      subjects: ['receipts.accepted.*', missingReceiptFilter],
      retention: RetentionPolicy.Workqueue,
      max_age: 7 * 24 * hourMs * nanosPerMs,
      max_msgs_per_subject: 1,
    },
    {
      ...common,
      name: scheduleStream,
      subjects: [...scheduleSubjects.all],
      // Of these, workers take what is due. All else stays until it is replaced or removed.
      retention: RetentionPolicy.Workqueue,
      max_msgs_per_subject: 1,
      allow_msg_schedules: true,
      allow_msg_ttl: true,
      allow_atomic: true,
    },
    {
      // As the object store sets up a bucket (NATS ADR-20): a full one refuses, and the newest record replaces the others.
      ...common,
      name: bodyStream,
      subjects: [bodyChunkFilter.replace('*', '>'), bodyRecordFilter.replace('*', '>')],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      allow_rollup_hdrs: true,
    },
    {
      // A stream of its own, for the sake of processes of an earlier version: see ADR 63.
      ...common,
      name: rateStream,
      subjects: ['rates.*.*'],
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
      allow_msg_ttl: true,
    },
  ];
}

/** The stream of the records of `Handovers`. */
export function handoverStreamConfig(replicas: number) {
  return {
    name: handoverStream,
    subjects: ['handovers.*.*.*', 'handovers.*.*.*.begun'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: 7 * 24 * hourMs * nanosPerMs,
    num_replicas: replicas,
  };
}

/** The settings that make a stream a bucket (NATS ADR-8). */
export function bucketConfig(replicas: number) {
  return {
    name: bucketStream,
    subjects: [`${bucketKeyPrefix}>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    max_msg_size: maxEntryBytes,
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
  };
}
