import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { CallIdentity, CallState } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import { untilNextKnown } from '../chain/index.ts';
import { probeSilentClient } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { untilEnded, WaitEnd, type WaiterPlace } from '../waiting/index.ts';
import type { CallOptions } from './call-options.ts';
import { toCallView } from './call-view.ts';

export const notFound: Refusal = refusal('call_not_found', 'No call with this id is known, or it ended too long ago.');

/** The call to wait for, and the time limit. */
export interface Wait {
  readonly call: CallIdentity;
  readonly waitMs: number;
  /** Released when the wait is over. */
  readonly place: WaiterPlace;
}

/** Answers with the state of a call once it has ended, or with its state when the time is up. */
export async function answerAtEnd(options: CallOptions, wait: Wait, reply: FastifyReply): Promise<FastifyReply> {
  const { socket } = reply.request.raw;
  const last = waitForEnd(options, wait, socket);
  const first = await Promise.race([last, beginForSilent(socket, last)]);
  if (first instanceof PassThrough) {
    void last.then(
      (state) => finish(first, state, options),
      (error) => first.destroy(error),
    );
    if (socket.readableEnded) {
      // The connection carries no further answer, so it closes after this one, as TCP clients expect.
      reply.raw.useChunkedEncodingByDefault = false;
    }
    return reply.type('application/json; charset=utf-8').send(first);
  }
  return first === undefined ? reply.refuse(notFound) : reply.send(toCallView(first, options.lookup));
}

async function waitForEnd(
  options: CallOptions,
  { call, waitMs, place }: Wait,
  socket: Socket,
): Promise<CallState | undefined> {
  using _ = place;
  using end = new WaitEnd({ socket, stopping: options.stopping, waitMs });
  const state = await untilEnded({ ...options, asker: place.asker }, call, end);
  return await untilNextKnown(state, options.calls, place.asker);
}

/**
 * The body of an answer that begins before it is known, with the white space that JSON may begin with (RFC 8259, 2),
 * for a silent client: a client that is gone then frees its watch.
 */
function beginForSilent(socket: Socket, last: Promise<unknown>): Promise<PassThrough> {
  let body: PassThrough | undefined;
  return new Promise((resolve) => {
    const stop = probeSilentClient(socket, () => {
      body ??= new PassThrough().once('close', stop);
      body.write(' ');
      resolve(body);
    });
    void last.catch(() => undefined).then(stop);
  });
}

function finish(body: PassThrough, state: CallState | undefined, { lookup }: CallOptions): void {
  if (state === undefined) {
    // The status has already been sent and would be wrong, so the answer is aborted.
    body.destroy(new Error('the call was forgotten while its state was being waited for'));
  } else {
    body.end(JSON.stringify(toCallView(state, lookup)));
  }
}
