/** What a PubAck, and so a 202, is worth, from the least to the most. docs/durability.md says what each survives. */
export const durabilityLevels = ['memory', 'single', 'quorum', 'fsync-quorum'] as const;

export type DurabilityLevel = (typeof durabilityLevels)[number];

/** When servers sync what they store to disk: before each PubAck, now and then, or nobody has told. */
export type SyncMode = 'always' | 'interval' | 'unknown';

export interface Durability {
  readonly level: DurabilityLevel;
  /** Copies that the least replicated of our streams has now, its leader's included. */
  readonly copies: number;
  readonly sync: SyncMode;
}

/** Less durability than is required. */
export interface DurabilityShortfall {
  readonly required: DurabilityLevel;
  /** Undefined while it is not known. */
  readonly found: DurabilityLevel | undefined;
}

/** What the durability of a stream depends on. */
export interface StreamCopies {
  /** False where a PubAck may come before anything is written: memory storage, or `persist_mode: async`. */
  readonly onDisk: boolean;
  /** As configured. */
  readonly replicas: number;
  /** Those that have all of the stream now, the leader included. */
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

/** What one server says of itself; undefined where it has no JetStream. */
export type ServerAnswer = { readonly syncAlways: boolean } | undefined;

/**
 * What the servers' own words come to, one that syncs now and then being enough to spoil it. Where none has answered,
 * the operator's word counts.
 * @param declared whether the operator says that every write is synced
 */
export function toSyncMode(answers: readonly ServerAnswer[], declared: boolean): SyncMode {
  const told = answers.filter((answer) => answer !== undefined);
  if (told.length === 0) {
    return declared ? 'always' : 'unknown';
  }
  return told.every(({ syncAlways }) => syncAlways) ? 'always' : 'interval';
}
