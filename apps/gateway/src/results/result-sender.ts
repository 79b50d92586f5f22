import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { EndedCall } from '@asyncfn/queue-core';
import type { CallStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { FastifyReply } from 'fastify';
import { callerOf } from '../auth/index.ts';
import type { BodyBudget, BodyShare } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { resultHeaders } from './result-headers.ts';
import { partOf } from './result-part.ts';

export interface ResultDependencies {
  readonly results: Pick<CallStore, 'readResult'>;
  /** The budget for results that are being sent. */
  readonly resultBudget: Pick<BodyBudget, 'open'>;
  readonly logger: Logger;
}

/** Results of up to this size fit into the system's socket buffer and are not counted. */
export const uncountedBytes = 16 * 1024;
const pieceBytes = 64 * 1024;

/** A result that is about to be sent. */
interface OpenResult {
  readonly kind: 'open';
  readonly body: Buffer;
  /** Counts a large one, until its client has received it. */
  readonly share: BodyShare | undefined;
}

/** The answer that a result is sent with. */
interface ResultReceiver {
  readonly response: ServerResponse;
  /** The token of the request. */
  readonly submitter: string | undefined;
}

/** Sends the result of an ended call, or the part of it that is asked for: see `partOf`. */
export async function sendResult(
  parts: ResultDependencies,
  call: EndedCall,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name } = callerOf(reply.request);
  const result = await openResult(parts, call, { response: reply.raw, submitter: name });
  if (result.kind === 'refused') {
    return reply.refuse(result);
  }
  const own = resultHeaders(call);
  const { status, headers, body } = partOf(result.body, reply.request.headers, own);
  if (status === 416) {
    return reply.refuse(refusal('range_not_satisfiable', `The result has ${result.body.length} bytes.`, headers));
  }
  reply.code(status).headers({ ...own, ...headers });
  if (body === undefined) {
    return reply.send();
  }
  reply.header('content-length', body.length);
  return reply.send(toPieces(body, result) ?? body);
}

/**
 * Reads the result of an ended call, which stays in memory until its client has received it. A slow client is
 * disconnected if others need the room, and one caller cannot use the room of all.
 */
export async function openResult(
  parts: ResultDependencies,
  call: EndedCall,
  receiver: ResultReceiver,
): Promise<OpenResult | Refusal> {
  const bytes = await parts.results.readResult(call);
  if (bytes === undefined) {
    return forgotten;
  }
  const isCounted = bytes.length > uncountedBytes;
  const share = isCounted ? openShare(parts, call, bytes.length, receiver) : undefined;
  if (isCounted && share === undefined) {
    return noRoomForResult;
  }
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return { kind: 'open', body, share };
}

/** A result, or a part of it, for a client that may be slow; undefined if the result is small. */
export function toPieces(part: Buffer, { share }: OpenResult): Readable | undefined {
  return share && Readable.from(piecesOf(part, share));
}

function openShare(
  { resultBudget, logger }: ResultDependencies,
  { outcome: { callId } }: EndedCall,
  bytes: number,
  { response, submitter }: ResultReceiver,
): BodyShare | undefined {
  const giveUp = (): void => {
    logger.info(
      { callId, bytes, token: submitter },
      'result aborted, its client reads too slowly and others need the room',
    );
    response.destroy();
  };
  const share = resultBudget.open(bytes, giveUp, submitter ?? '');
  response.once('close', () => share?.release());
  if (response.destroyed) {
    // An abort before the listener was added does not call it.
    share?.release();
  }
  return share;
}

/** Each piece is requested when the client has received most of the previous one. */
export function* piecesOf(body: Buffer, share: BodyShare): Generator<Buffer, void, void> {
  for (let at = 0; at < body.length; at += pieceBytes) {
    const piece = body.subarray(at, at + pieceBytes);
    share.arrived(piece.length);
    yield piece;
  }
}

const forgotten: Refusal = refusal('call_not_found', 'The call ended too long ago: its result has just been removed.');
export const noRoomForResult: Refusal = refusal(
  'overloaded',
  'The gateway is sending too many results. Try again later.',
  {
    'Retry-After': '1',
  },
);
