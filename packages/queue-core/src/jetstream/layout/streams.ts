import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { queueStream, queueSubjects, streamQueue } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { asQueueError, type QueueLogger } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';

/** Settings that JetStream never changes on a stream that exists. */
const fixed: ReadonlySet<string> = new Set(['retention', 'storage']);

type Owned = Partial<StreamConfig> & { readonly name: string };

/**
 * The stream of a queue.
 *
 * It has no limit of its own: nats-server refuses `discard: new` beside message schedules (ADR-51), and `discard: old`
 * with a limit would throw away accepted calls (P2). What bounds a queue is the storage that JetStream may use.
 */
export function queueStreamConfig(queue: string, replicas: number): Owned {
  return {
    name: queueStream(queue),
    subjects: queueSubjects(queue),
    storage: StorageType.File,
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.Old,
    max_bytes: -1,
    max_msgs: -1,
    max_age: 0,
    max_msgs_per_subject: -1,
    num_replicas: replicas,
    allow_direct: true,
    allow_msg_schedules: true,
    allow_msg_ttl: true,
    allow_atomic: true,
    allow_rollup_hdrs: true,
  };
}

/**
 * Creates the stream, or updates an existing one to these settings. Safe in many processes at once. Replicas are only
 * raised: a process with a lower setting does not undo what another has asked for. A limit of bytes is only lowered if
 * twice the stored bytes fit. Throws `QueueError` `stream_mismatch` if a setting differs that cannot be changed.
 * @param foreign settings that other processes own: they apply only when the stream is created
 * @returns the stream as it was found or created
 */
export async function ensureStream(
  manager: JetStreamManager,
  wanted: Owned,
  logger: QueueLogger,
  foreign: readonly (keyof StreamConfig)[] = [],
): Promise<StreamInfo> {
  // Checks first: re-creating an existing stream can fail because its own reservation counts.
  const existing = (await findStream(manager, wanted.name)) ?? (await createStream(manager, wanted));
  const ours = Object.fromEntries(Object.entries(wanted).filter(([setting]) => !foreign.some((of) => of === setting)));
  return await adapt(manager, existing, { ...ours, name: wanted.name }, logger);
}

/** The smallest `max_bytes` that a stream is created with if the wanted ones have no room. */
const minBytes = 1024 * 1024;

/**
 * As `ensureStream`, for a stream whose `max_bytes` may be smaller if room is short: JetStream reserves them, and
 * refuses a stream without room for them. An existing stream keeps its size.
 */
export async function ensureStreamWithRoom(
  manager: JetStreamManager,
  wanted: Owned & { readonly max_bytes: number },
  logger: QueueLogger,
): Promise<StreamInfo> {
  const existing = await findStream(manager, wanted.name);
  if (existing !== undefined) {
    return await adapt(manager, existing, { ...wanted, max_bytes: existing.config.max_bytes }, logger);
  }
  try {
    return await ensureStream(manager, wanted, logger);
  } catch (error) {
    const less = Math.floor(wanted.max_bytes / 4);
    if (!isOutOfRoom(error) || less < minBytes) {
      throw error;
    }
    const fields = { stream: wanted.name, bytes: wanted.max_bytes, triedNext: less };
    logger.warn(fields, 'JetStream has no room for a stream of this size, a smaller one is tried');
    return await ensureStreamWithRoom(manager, { ...wanted, max_bytes: less }, logger);
  }
}

function isOutOfRoom(error: unknown): boolean {
  return error instanceof QueueError && isApiError(error.cause, 'insufficientResources', 'storageResourcesExceeded');
}

/** The resulting settings of the stream: those of another process, if that one was faster. */
async function createStream(manager: JetStreamManager, wanted: Owned): Promise<StreamInfo> {
  try {
    // A copy: the client modifies its argument.
    return await manager.streams.add({ ...wanted });
  } catch (error) {
    const existing = await findStream(manager, wanted.name);
    if (existing === undefined) {
      throw asReservation(asQueueError(error, `stream ${wanted.name} cannot be created`), wanted);
    }
    return existing;
  }
}

/** If the stream has a configured limit, only an operator can make room for it. */
function asReservation(error: QueueError, { max_bytes: maxBytes = -1 }: Owned): QueueError {
  if (!isOutOfRoom(error) || maxBytes < 0) {
    return error;
  }
  const advice = 'JetStream has no room to reserve for STREAM_MAX_BYTES: lower it, or give the account more';
  return new QueueError('account_limit', `${error.message}: ${advice}`, { cause: error.cause });
}

/** Updates an existing stream to our settings. */
async function adapt(
  manager: JetStreamManager,
  stream: StreamInfo,
  asked: Owned,
  logger: QueueLogger,
): Promise<StreamInfo> {
  const existing = stream.config;
  const wanted = keepsContent(stream, asked) ? asked : { ...asked, max_bytes: existing.max_bytes };
  if (wanted !== asked) {
    const fields = { stream: asked.name, bytes: stream.state.bytes, limit: asked.max_bytes, keeps: existing.max_bytes };
    logger.warn(fields, 'STREAM_MAX_BYTES is not set on a stream that holds more than half of it already');
  }
  const differences = compare(existing, wanted);
  if (differences.length === 0) {
    return stream;
  }
  if (differences.some(({ setting }) => fixed.has(setting))) {
    throw mismatch(wanted.name, differences);
  }
  const updated = await update(manager, existing, wanted, differences);
  logger.warn({ stream: wanted.name, differences }, 'stream settings changed');
  return updated;
}

async function update(
  manager: JetStreamManager,
  existing: StreamConfig,
  wanted: Owned,
  differences: readonly Difference[],
): Promise<StreamInfo> {
  const replicas = Math.max(existing.num_replicas, wanted.num_replicas ?? 1);
  try {
    return await manager.streams.update(wanted.name, {
      ...existing,
      ...wanted,
      metadata: { ...existing.metadata, ...wanted.metadata },
      num_replicas: replicas,
    });
  } catch (cause) {
    if (isApiError(cause, 'streamInvalidConfig')) {
      throw mismatch(wanted.name, differences, cause);
    }
    throw asReservation(asQueueError(cause, `stream ${wanted.name} cannot be updated`), wanted);
  }
}

/** JetStream makes room for a lower limit by discarding the oldest messages, which may be accepted calls (P2). */
function keepsContent({ config, state }: StreamInfo, { max_bytes: limit = -1 }: Owned): boolean {
  const isLower = limit > 0 && (config.max_bytes < 0 || limit < config.max_bytes);
  return !isLower || state.bytes <= limit / 2;
}

function mismatch(stream: string, differences: readonly Difference[], cause?: Error): QueueError {
  const list = differences.map(({ setting, is, wants }) => `${setting} is ${is} and must be ${wants}`).join('; ');
  const why = cause === undefined ? '' : ` (${cause.message})`;
  return new QueueError(
    'stream_mismatch',
    `stream ${stream} exists with other settings that cannot be changed${why}: ${list}. Drain and delete it, or use another queue`,
    { cause },
  );
}

/** The queues that have a stream. Throws `QueueError`. */
export async function listQueues(manager: JetStreamManager): Promise<string[]> {
  const queues: string[] = [];
  try {
    for await (const name of manager.streams.names('calls.>')) {
      const queue = streamQueue(name);
      if (queue !== undefined) {
        queues.push(queue);
      }
    }
  } catch (error) {
    throw asQueueError(error, 'the queues cannot be listed');
  }
  return queues;
}

interface Difference {
  readonly setting: string;
  readonly is: string;
  readonly wants: string;
}

function compare(existing: StreamConfig, wanted: Owned): Difference[] {
  const actual = existing as unknown as Record<string, unknown>;
  return Object.entries(wanted)
    .filter(([setting, value]) => !isSatisfied(setting, actual[setting], value))
    .map(([setting, value]) => ({ setting, is: JSON.stringify(actual[setting]), wants: JSON.stringify(value) }));
}

function isSatisfied(setting: string, is: unknown, wants: unknown): boolean {
  if (setting === 'num_replicas') {
    return Number(is) >= Number(wants);
  }
  if (setting === 'metadata') {
    return holdsAll(is ?? {}, wants ?? {}); // the server adds fields of its own
  }
  return JSON.stringify(is) === JSON.stringify(wants);
}

function holdsAll(is: object, wants: object): boolean {
  const actual = new Map(Object.entries(is));
  return Object.entries(wants).every(([name, value]) => actual.get(name) === value);
}

async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (isApiError(error, 'streamNotFound')) {
      return undefined;
    }
    throw asQueueError(error, `stream ${name} cannot be read`);
  }
}
