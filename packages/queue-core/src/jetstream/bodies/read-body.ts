import { createHash } from 'node:crypto';
import type { BodyObject } from '../../call/index.ts';
import type { FairTurns } from '../../fair-turns.ts';
import { retry } from '../../retry.ts';
import type { BodyPace } from './body-pace.ts';
import { chunkBytes } from './body-records.ts';
import { type Chunk, type ChunkBroker, readChunks } from './read-chunks.ts';

/** A stored body cannot be read as it was stored. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code: 'body_missing' | 'body_corrupt' | 'body_unreadable';
  /** The message says everything: loggers omit the stack. */
  readonly expected = true;

  constructor(code: BodyError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Where a body is read. */
export interface BodySource {
  /** For the next read. */
  readonly broker: () => ChunkBroker;
  /** Limits the reads of all readers. */
  readonly turns: FairTurns;
  /** Default: as fast as the broker sends. */
  readonly pace?: BodyPace | undefined;
}

/** Chunks of one request to the broker. The next ones are on their way while these are used. */
const chunksPerRead = 2;
/** Most bytes that a reader keeps in memory. */
export const readBytes = 2 * chunksPerRead * chunkBytes;
/** A replica may be behind for a moment, and a broker that has moved is asked again: for how long, in milliseconds. */
const retryWaits: readonly number[] = [50, 250, 1_000, 3_000];

/**
 * Yields a stored body in pieces, as fast as they are taken. The last piece comes only once the digest agrees, so a body
 * that is not what was stored is never passed on as a whole. Throws `BodyError`.
 * @param owner whose call it is, as its address has it: owners take turns in reading
 */
export async function* readBody(
  source: BodySource,
  object: BodyObject,
  owner = '',
): AsyncGenerator<Uint8Array, void, undefined> {
  const read = (from: number): Promise<readonly Chunk[] | Error> =>
    readSome(source, { id: object.id, from, count: chunksPerRead }, owner).catch(asError);
  const hash = createHash('sha256');
  let left = object.length;
  for (let ahead = read(1); left > 0; ) {
    const chunks = await ahead;
    if (chunks instanceof Error) {
      throw chunks;
    }
    const last = chunks.at(-1);
    if (last === undefined) {
      throw new BodyError('body_missing', 'a stored body is gone, or not there as a whole');
    }
    if (bytesOf(chunks) < left) {
      ahead = read(last.sequence + 1);
    }
    for (const { data } of chunks) {
      left -= data.length;
      hash.update(data);
      if (left < 0 || (left === 0 && hash.digest('base64url') !== object.sha256)) {
        throw new BodyError('body_corrupt', 'a stored body does not have the digest that it was stored with');
      }
      yield data;
    }
  }
}

/** At least one chunk; none if there is none even after a while. */
async function readSome(
  { broker, turns, pace }: BodySource,
  range: Parameters<typeof readChunks>[1],
  owner: string,
): Promise<readonly Chunk[]> {
  const read = async (): Promise<readonly Chunk[]> => {
    await pace?.take(range.count * chunkBytes, owner);
    return readChunks(broker(), range);
  };
  const result = await retry(() => turns.run(read, owner).catch(asError), {
    waits: retryWaits,
    until: (chunks) => !(chunks instanceof Error) && chunks.length > 0,
  });
  if (result instanceof Error) {
    throw new BodyError('body_unreadable', 'a stored body cannot be read now', { cause: result });
  }
  return result;
}

function bytesOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { data }) => sum + data.length, 0);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
