import { PassThrough, Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { prefersToJson, probeSilentClient } from '../http/index.ts';
import { WaitEnd } from './wait-end.ts';
import type { WaiterPlace } from './waiters.ts';

export interface EventStreamOptions {
  /** Released when the stream ends. */
  readonly place: WaiterPlace;
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  /** The states to send, as JSON, until the end or until the signal aborts. */
  readonly states: (signal: AbortSignal) => AsyncIterable<string>;
}

/** Interval of comments, in milliseconds, so that no proxy takes the connection for dead. */
export const heartbeatMs = 15_000;

/** Whether the client wants events instead of one answer. */
export function wantsEvents(accept: string | undefined): boolean {
  return prefersToJson(accept, 'text/event-stream');
}

/**
 * Sends each state that differs from the previous one as server-sent events (WHATWG HTML, 9.2). Also ends when the client
 * disconnects and when the gateway stops.
 */
export function sendEventStream(reply: FastifyReply, options: EventStreamOptions): FastifyReply {
  const stream = new PassThrough();
  void writeEvents(reply, options, stream).finally(() => stream.end());
  return beginEvents(reply).send(stream);
}

/** Answers HEAD with the headers of the events that GET would send. */
export function sendEventsHead(reply: FastifyReply): FastifyReply {
  return beginEvents(reply).send(Readable.from([]));
}

function beginEvents(reply: FastifyReply): FastifyReply {
  return reply.code(200).type('text/event-stream');
}

async function writeEvents(
  { request }: FastifyReply,
  { place, stopping, states }: EventStreamOptions,
  stream: PassThrough,
): Promise<void> {
  using _ = place;
  const { socket } = request.raw;
  using end = new WaitEnd({ socket, stopping });
  const beat = (): void => void stream.write(': still here\n\n');
  const heartbeat = setInterval(beat, heartbeatMs).unref();
  const stopProbes = probeSilentClient(socket, beat);
  try {
    let last = '';
    for await (const state of states(end.signal)) {
      if (state !== last && !end.signal.aborted) {
        last = state;
        stream.write(`event: state\ndata: ${state}\n\n`);
      }
    }
  } finally {
    clearInterval(heartbeat);
    stopProbes();
  }
}
