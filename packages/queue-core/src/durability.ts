/** What a PubAck, and so a 202, guarantees, from least to most. docs/durability.md says what each survives. */
export const durabilityLevels = ['memory', 'single', 'quorum', 'fsync-quorum'] as const;

export type DurabilityLevel = (typeof durabilityLevels)[number];

/** The setting of gateway and worker that states when the servers sync. */
export const natsSyncSetting = {
  env: 'NATS_SYNC',
  values: ['ask', 'always'],
  default: 'ask',
  doc: '`always` states that every NATS server has `sync_interval: always`, for servers that do not report it. A reported value takes precedence. The same in all gateways and workers.',
} as const;

/** The setting of gateway and worker that decides whether they store messages in groups. */
export const groupCommitSetting = {
  env: 'GROUP_COMMIT',
  values: ['auto', 'on', 'off'],
  default: 'auto',
  doc: 'Whether calls (gateway) or outcomes (worker) that arrive at the same time are stored as one batch. Batches are faster if NATS writes to disk before it confirms. `auto`: if all NATS servers report `sync_interval: always`, or `NATS_SYNC` states it, and `STREAM_REPLICAS` is 1.',
} as const;

/** When servers sync what they store to disk: before each PubAck, at intervals, or unknown. */
export type SyncMode = 'always' | 'interval' | 'unknown';

export interface Durability {
  readonly level: DurabilityLevel;
  /** Current copies of our least replicated stream, including its leader's. */
  readonly copies: number;
  readonly sync: SyncMode;
}

/** Less durability than is required. */
export interface DurabilityShortfall {
  readonly required: DurabilityLevel;
  /** Undefined while unknown. */
  readonly found: DurabilityLevel | undefined;
}

/** What the durability of a stream depends on. */
export interface StreamCopies {
  /** False if a PubAck may come before anything is written: memory storage, or `persist_mode: async`. */
  readonly onDisk: boolean;
  /** As configured. */
  readonly replicas: number;
  /** Replicas that are current, including the leader. */
  readonly current: number;
}

/**
 * The durability of the weakest stream. Copies that are still being made do not count: a stream is `quorum` once most of
 * its replicas have all of it. A single copy is `single` even where each write is synced, since the loss of its disk is
 * the loss of everything; `sync` tells the two apart.
 */
export function toDurability(streams: readonly StreamCopies[], sync: SyncMode): Durability {
  const copies = Math.min(...streams.map(({ current }) => current));
  if (streams.length === 0 || streams.some(({ onDisk }) => !onDisk)) {
    return { level: 'memory', copies: streams.length === 0 ? 0 : copies, sync };
  }
  if (streams.some(({ replicas, current }) => replicas < 2 || current <= replicas / 2)) {
    return { level: 'single', copies, sync };
  }
  return { level: sync === 'always' ? 'fsync-quorum' : 'quorum', copies, sync };
}

export function isAtLeast(level: DurabilityLevel, wanted: DurabilityLevel): boolean {
  return durabilityLevels.indexOf(level) >= durabilityLevels.indexOf(wanted);
}

/** One server's report; undefined if it has no JetStream. */
export type ServerAnswer = { readonly syncAlways: boolean } | undefined;

/**
 * The sync mode of all servers: a single one that syncs at intervals decides. If no server has answered, the operator's
 * declaration counts.
 * @param declared whether the operator says that every write is synced
 */
export function toSyncMode(answers: readonly ServerAnswer[], declared: boolean): SyncMode {
  const told = answers.filter((answer) => answer !== undefined);
  if (told.length === 0) {
    return declared ? 'always' : 'unknown';
  }
  return told.every(({ syncAlways }) => syncAlways) ? 'always' : 'interval';
}
