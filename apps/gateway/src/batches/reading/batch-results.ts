import { Readable } from 'node:stream';
import { type BatchState, type CallState, type EndedCall, ownerOf } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import type { Asker } from '../../auth/index.ts';
import { RefusalError } from '../../problem.ts';
import { noRoomForResult, piecesOf, uncountedBytes } from '../../results/index.ts';
import { acceptedItems, type IndexedItem } from './find-batch.ts';
import type { ReadingOptions } from './reading-options.ts';

/** One page of results. */
export interface ResultPage {
  readonly cursor: number;
  readonly limit: number;
}

/** States that are looked up together; they have no bodies. */
const lookedUpAtOnce = 16;

/** The fields of a line about a call. */
type Row = Readonly<Record<string, unknown>>;

/**
 * Sends a page of results as NDJSON, in the order of the calls. Each is read when the client has received most of the
 * one before, so one result is in memory at a time. A slow client is disconnected if others need the room.
 */
export async function sendResults(
  options: ReadingOptions,
  state: BatchState,
  { cursor, limit }: ResultPage,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const page: IndexedItem[] = [];
  let next: number | undefined;
  for await (const each of acceptedItems(options, state, cursor)) {
    if (page.length === limit) {
      next = each.index;
      break;
    }
    page.push(each);
  }
  if (next !== undefined) {
    reply.header('X-Next-Cursor', String(next));
  }
  const asker: Asker = { name: reply.request.caller?.name, hasPlace: true };
  const giveUp = (): void => {
    const fields = { batchId: state.batchId, token: asker.name };
    options.logger.info(fields, 'results of a batch aborted, their client reads too slowly and others need the room');
    reply.raw.destroy();
  };
  const rows = Readable.from(linesOf(options, state, page, { asker, giveUp }), { objectMode: false });
  return reply.code(200).type('application/x-ndjson').send(rows);
}

/** The client that the results are sent to. */
interface Reader {
  readonly asker: Asker;
  /** Called if the client is slow and others need the room. */
  readonly giveUp: () => void;
}

async function* linesOf(
  options: ReadingOptions,
  state: BatchState,
  page: readonly IndexedItem[],
  reader: Reader,
): AsyncGenerator<Buffer, void, void> {
  const { startTime } = state;
  const owner = ownerOf(state.submitter);
  for (let at = 0; at < page.length; at += lookedUpAtOnce) {
    const some = page.slice(at, at + lookedUpAtOnce);
    const found = await Promise.all(
      some.map(({ item: { callId } }) => options.calls.find({ callId, owner, startTime }, reader.asker)),
    );
    for (const [place, { index, item }] of some.entries()) {
      const base = { index, callId: item.callId, function: item.function };
      yield* lineOf(options, base, found[place], reader);
    }
  }
}

async function* lineOf(
  { results, resultBudget }: ReadingOptions,
  base: Row,
  state: CallState | undefined,
  { asker, giveUp }: Reader,
): AsyncGenerator<Buffer, void, void> {
  if (state?.kind !== 'ended') {
    yield toLine({ ...base, status: statusOf(state) });
    return;
  }
  const body = state.outcome.bodyObject === undefined ? await results.readResult(state) : undefined;
  const line = toLine({ ...base, ...toRow(state, body) });
  if (line.length <= uncountedBytes) {
    yield line;
    return;
  }
  const share = resultBudget.open(line.length, giveUp, asker.name ?? '');
  if (share === undefined) {
    // After the first line it ends the connection, and the client asks for the rest later.
    throw new RefusalError(noRoomForResult);
  }
  try {
    yield* piecesOf(line, share);
  } finally {
    share.release();
  }
}

/** A call that is not known was erased, or its outcome has just been removed. */
function statusOf(state: CallState | undefined): string {
  return state?.kind === 'active' ? state.phase : 'unknown';
}

function toRow({ outcome }: EndedCall, body: Uint8Array | undefined): Row {
  const { status, functionStatus, headers, bodyObject, callId } = outcome;
  const contentType = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  return {
    status,
    ...(functionStatus !== undefined && { functionStatus }),
    ...(contentType !== undefined && { contentType }),
    ...(functionStatus !== undefined && body !== undefined && toBody(body)),
    ...(bodyObject !== undefined && { bodyUrl: `/async-function/${callId}/result`, bodyBytes: bodyObject.length }),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toBody(body: Uint8Array): Row {
  try {
    return { body: utf8.decode(body) };
  } catch {
    return { bodyBase64: Buffer.from(body).toString('base64') };
  }
}

function toLine(row: Row): Buffer {
  return Buffer.from(`${JSON.stringify(row)}\n`);
}
