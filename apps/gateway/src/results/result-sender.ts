import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { BodyObject, EndedCall } from '@asyncfn/queue-core';
import { type BodyStore, type CallStore, readBytes } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { FastifyReply } from 'fastify';
import { callerOf } from '../auth/index.ts';
import type { BodyBudget, BodyShare } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { resultHeaders } from './result-headers.ts';
import { type ByteRange, type Content, contentOf, partOf } from './result-part.ts';

export interface ResultDependencies {
  readonly results: Pick<CallStore, 'readResult'>;
  /** Reads results that are stored apart. */
  readonly bodies: Pick<BodyStore, 'has' | 'read'>;
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
  readonly content: Content;
  /** A part of it: in pieces, for a client that may be slow, or at once if it is small. */
  readonly send: (bytes: ByteRange) => Readable | Buffer;
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
  const { status, headers, bytes } = partOf(result.content, reply.request.headers, own);
  if (status === 416) {
    const detail = `The result has ${result.content.length} bytes.`;
    return reply.refuse(refusal('range_not_satisfiable', detail, headers));
  }
  reply.code(status).headers({ ...own, ...headers });
  if (bytes === undefined) {
    return reply.send();
  }
  reply.header('content-length', bytes.to - bytes.from);
  // For HEAD, fastify keeps the length of a stream alone.
  return reply.send(reply.request.method === 'HEAD' ? Readable.from([]) : result.send(bytes));
}

/**
 * Opens the result of an ended call. What is in memory of it is counted until its client has received it: all of it, or, if it is
 * stored apart, what is being read. A slow client is disconnected if others need the room, and one caller cannot use the room
 * of all.
 */
export function openResult(
  parts: ResultDependencies,
  call: EndedCall,
  receiver: ResultReceiver,
): Promise<OpenResult | Refusal> {
  const { bodyObject } = call.outcome;
  return bodyObject === undefined ? openRecorded(parts, call, receiver) : openStored(parts, call, bodyObject, receiver);
}

async function openRecorded(
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
  return {
    kind: 'open',
    content: contentOf(body),
    send({ from, to }) {
      const part = body.subarray(from, to);
      return share === undefined ? part : Readable.from(piecesOf(part, share));
    },
  };
}

async function openStored(
  parts: ResultDependencies,
  call: EndedCall,
  object: BodyObject,
  receiver: ResultReceiver,
): Promise<OpenResult | Refusal> {
  if (!(await parts.bodies.has(object))) {
    return forgotten;
  }
  const share = openShare(parts, call, readBytes, receiver);
  if (share === undefined) {
    return noRoomForResult;
  }
  const { length, sha256 } = object;
  return {
    kind: 'open',
    content: { length, digest: Buffer.from(sha256, 'base64url') },
    send(bytes) {
      const pieces = parts.bodies.read(object, call.outcome.submitter);
      return Readable.from(counted(between(pieces, bytes), share), { objectMode: false });
    },
  };
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

/** The part of a stored result. What comes before it is read as well, so that a part to the end is checked as a whole is. */
async function* between(
  pieces: AsyncIterable<Uint8Array>,
  { from, to }: ByteRange,
): AsyncGenerator<Uint8Array, void, void> {
  let at = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += piece.length;
    if (part.length > 0) {
      yield part;
    }
    if (at >= to) {
      return;
    }
  }
}

/** Reports each piece when it is sent, and that it has left when the next one is asked for. */
async function* counted(pieces: AsyncIterable<Uint8Array>, share: BodyShare): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    share.arrived(piece.length);
    yield piece;
    share.left(piece.length);
  }
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
