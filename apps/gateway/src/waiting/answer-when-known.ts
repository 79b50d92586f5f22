import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { probeSilentClient } from '../http/index.ts';
import type { Refusal } from '../problem.ts';

/**
 * Answers with a view once it is known. The answer begins before that for a silent client.
 * @param last undefined if what is waited for is not known
 */
export async function answerWhenKnown(
  reply: FastifyReply,
  last: Promise<object | undefined>,
  notFound: Refusal,
): Promise<FastifyReply> {
  const { socket } = reply.request.raw;
  const first = await Promise.race([last, beginForSilent(socket, last)]);
  if (first instanceof PassThrough) {
    void last.then(
      (view) => finish(first, view),
      (error) => first.destroy(error),
    );
    if (socket.readableEnded) {
      // The connection carries no further answer, so it closes after this one, as TCP clients expect.
      reply.raw.useChunkedEncodingByDefault = false;
    }
    return reply.type('application/json; charset=utf-8').send(first);
  }
  return first === undefined ? reply.refuse(notFound) : reply.send(first);
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

function finish(body: PassThrough, view: object | undefined): void {
  if (view === undefined) {
    // The status has already been sent and would be wrong, so the answer is aborted.
    body.destroy(new Error('what was waited for was forgotten in the meantime'));
  } else {
    body.end(JSON.stringify(view));
  }
}
