import { Readable } from 'node:stream';
import type { EndedCall } from '@asyncfn/queue-core';
import type { CallStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { FastifyReply } from 'fastify';
import { callerOf } from '../auth/index.ts';
import type { BodyBudget, BodyShare } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { resultHeaders } from './result-headers.ts';

export interface ResultDependencies {
  readonly results: Pick<CallStore, 'readResult'>;
  /** The budget for results that are being sent. */
  readonly resultBudget: Pick<BodyBudget, 'open'>;
  readonly logger: Logger;
}

/** Results of up to this size fit into the system's socket buffer and are not counted. */
export const uncountedBytes = 16 * 1024;
const pieceBytes = 64 * 1024;

/**
 * Sends the result of an ended call, which stays in memory until its client has received it. A slow client is
 * disconnected if others need the room, and one caller cannot use the room of all.
 */
export async function sendResult(
  parts: ResultDependencies,
  call: EndedCall,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = await parts.results.readResult(call);
  if (body === undefined) {
    return reply.refuse(forgotten);
  }
  const isCounted = body.length > uncountedBytes;
  const share = isCounted ? openShare(parts, call, body.length, reply) : undefined;
  if (isCounted && share === undefined) {
    return reply.refuse(noRoomForResult);
  }
  reply.code(200).headers(resultHeaders(call)).header('content-length', body.length);
  const whole = Buffer.from(body.buffer, body.byteOffset, body.length);
  return reply.send(share === undefined ? whole : Readable.from(piecesOf(whole, share)));
}

function openShare(
  { resultBudget, logger }: ResultDependencies,
  { outcome: { callId } }: EndedCall,
  bytes: number,
  reply: FastifyReply,
): BodyShare | undefined {
  const token = callerOf(reply.request).name;
  const giveUp = (): void => {
    logger.info({ callId, bytes, token }, 'result aborted, its client reads too slowly and others need the room');
    reply.raw.destroy();
  };
  const share = resultBudget.open(bytes, giveUp, token ?? '');
  reply.raw.once('close', () => share?.release());
  if (reply.raw.destroyed) {
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
