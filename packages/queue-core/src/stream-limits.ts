import { formatSize, parseSize } from '@asyncfn/units';
import { isNamePart, queueStream } from './call/index.ts';

/** How large one stream may become, or each that is not named. */
export interface StreamLimit {
  /** Undefined: every stream that has no limit of its own. */
  readonly stream: string | undefined;
  readonly maxBytes: number;
}

/** Returns the maximum size of a stream; undefined if it has no limit. */
export type StreamLimits = (stream: string) => number | undefined;

/** Less is of no use: the smallest of our streams hold some hundred KiB. */
const minBytes = 1024 * 1024;

/** The streams that there are, but for those of queues. */
const recordStreams: ReadonlySet<string> = new Set([
  'CALLBACKS',
  'CANCELS',
  'DEAD_LETTERS',
  'EXPIRIES',
  'HANDOVERS',
  'KV_FUNCTIONS',
  'OBJ_BODIES',
  'OUTCOMES',
  'RATES',
  'RECEIPTS',
  'SCHEDULES',
]);

/** How a setting holds a limit, for the configuration of a process: `1GiB`, or `CALLS_default=4GiB` for one stream. */
export const streamLimitType = {
  expected: `a size of at least ${formatSize(minBytes)}, or a stream (CALLS_ and a queue, ${[...recordStreams].join(', ')}), = and its size`,
  example: '256MiB,CALLS_default=4GiB,OUTCOMES=1GiB',
  parse: parseStreamLimit,
  format: ({ stream, maxBytes }: StreamLimit): string =>
    stream === undefined ? formatSize(maxBytes) : `${stream}=${formatSize(maxBytes)}`,
} as const;

/** The setting of gateway and worker, which have to have the same. */
export const streamLimitSetting = {
  env: 'STREAM_MAX_BYTES',
  default: [] as readonly StreamLimit[],
  doc: 'Maximum size of each stream at NATS, for an account that requires one (`max_bytes_required`); `CALLS_default=4GiB` sets that of one stream. NATS reserves the space. The same in all gateways and workers. Default: no limit, so that all streams share the space. See docs/operations.md.',
};

/** The limits that a setting names. */
export function toStreamLimits(limits: readonly StreamLimit[]): StreamLimits {
  const named = new Map(limits.map(({ stream, maxBytes }) => [stream, maxBytes]));
  return (stream) => named.get(stream) ?? named.get(undefined);
}

/** The share of a limited stream that new calls may fill. More of it is for the retries of those that are there. */
const shareOfCalls = 0.4;

/**
 * The most bytes of a queue up to which new calls are accepted: the limit of its stream is not to be reached.
 * @param set what else is set for the queue
 */
export function limitOfQueue(limits: StreamLimits, queue: string, set?: number): number | undefined {
  const limit = limits(queueStream(queue));
  if (limit === undefined) {
    return set;
  }
  return Math.min(Math.floor(limit * shareOfCalls), set ?? Number.POSITIVE_INFINITY);
}

function parseStreamLimit(text: string): StreamLimit | undefined {
  const [size = '', stream, ...rest] = text.split('=').reverse();
  const maxBytes = parseSize(size);
  const isOurs = stream === undefined || isStreamOfOurs(stream);
  return maxBytes !== undefined && maxBytes >= minBytes && isOurs && rest.length === 0
    ? { stream, maxBytes }
    : undefined;
}

function isStreamOfOurs(stream: string): boolean {
  return recordStreams.has(stream) || (stream.startsWith('CALLS_') && isNamePart(stream.slice('CALLS_'.length)));
}
