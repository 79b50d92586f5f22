import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { CallStanding } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import { toCallView } from '../call-view.ts';
import { untilEnded } from '../follow-call.ts';
import { probeHalfClosed } from '../http/half-closed.ts';
import { type Refusal, refusal } from '../problem.ts';
import type { CallOptions } from './calls.ts';

export const notFound: Refusal = refusal('call_not_found', 'No call of this id is known, or it ended too long ago.');

/** Answers with the state of a call once it has ended, or with the state that it has when the time is up. */
export async function answerAtEnd(
  options: CallOptions,
  callId: string,
  waitMs: number,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { socket } = reply.request.raw;
  const last = waitForEnd(options, callId, waitMs, socket);
  // A HEAD has no body to begin with.
  const begun = reply.request.method === 'HEAD' ? undefined : beginForHalfClosed(socket, last);
  const first = await Promise.race(begun === undefined ? [last] : [last, begun]);
  if (first instanceof PassThrough) {
    void last.then(
      (standing) => finish(first, standing, options),
      (error) => first.destroy(error),
    );
    // Such a connection has no further answer: this one ends with it, as clients that speak TCP themselves expect.
    reply.raw.useChunkedEncodingByDefault = false;
    return reply.type('application/json; charset=utf-8').send(first);
  }
  return first === undefined ? reply.refuse(notFound) : reply.send(toCallView(first, options.lookup));
}

/** Gives up when the time is over, when the gateway stops, and when nobody is there any more to be answered. */
async function waitForEnd(
  options: CallOptions,
  callId: string,
  waitMs: number,
  socket: Socket,
): Promise<CallStanding | undefined> {
  const over = new AbortController();
  const end = (): void => over.abort();
  const timer = setTimeout(end, waitMs);
  socket.once('close', end);
  options.stopping.addEventListener('abort', end, { once: true });
  try {
    if (options.stopping.aborted) {
      end();
    }
    return await untilEnded(options, callId, over.signal);
  } finally {
    clearTimeout(timer);
    socket.off('close', end);
    options.stopping.removeEventListener('abort', end);
  }
}

/**
 * The body of an answer that begins before it is known, with the white space that JSON may begin with (RFC 8259, 2): to a
 * client that has closed its half of the connection, so that one that is gone does not hold its watch for minutes.
 */
function beginForHalfClosed(socket: Socket, last: Promise<unknown>): Promise<PassThrough> {
  const body = new PassThrough();
  return new Promise((resolve) => {
    const stop = probeHalfClosed(socket, () => {
      body.write(' ');
      resolve(body);
    });
    body.once('close', stop);
    void last.catch(() => undefined).then(stop);
  });
}

function finish(body: PassThrough, standing: CallStanding | undefined, { lookup }: CallOptions): void {
  if (standing === undefined) {
    // Its status is out and was another: an answer that breaks off is one that says nothing.
    body.destroy(new Error('the call was forgotten while its state was being waited for'));
  } else {
    body.end(JSON.stringify(toCallView(standing, lookup)));
  }
}
