import { PassThrough, Readable } from 'node:stream';
import type { CallIdentity } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import { untilNextKnown } from '../chain/index.ts';
import { probeSilentClient } from '../http/index.ts';
import { type FollowDependencies, followCall, WaitEnd, type WaiterPlace } from '../waiting/index.ts';
import type { CallOptions } from './call-options.ts';
import { toCallView } from './call-view.ts';

/** Interval of comments, in milliseconds, so that no proxy takes the connection for dead. */
const heartbeatMs = 15_000;

/** Whether the client wants events instead of one answer. */
export function wantsEvents(accept: string | undefined): boolean {
  return accept?.split(',').some((type) => /^\s*text\/event-stream\s*(;|$)/i.test(type)) === true;
}

/**
 * Sends each state of a call that differs from the previous one, until its end, as server-sent events (WHATWG HTML,
 * 9.2). Also ends when the client disconnects and when the gateway stops.
 */
export function sendEvents(
  options: CallOptions,
  call: CallIdentity,
  place: WaiterPlace,
  reply: FastifyReply,
): FastifyReply {
  const stream = new PassThrough();
  void writeEvents(options, call, stream, place, reply).finally(() => stream.end());
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
  options: CallOptions,
  call: CallIdentity,
  stream: PassThrough,
  place: WaiterPlace,
  { request }: FastifyReply,
): Promise<void> {
  using _ = place;
  const { socket } = request.raw;
  using end = new WaitEnd({ socket, stopping: options.stopping });
  const beat = (): void => void stream.write(': still here\n\n');
  const heartbeat = setInterval(beat, heartbeatMs).unref();
  const stopProbes = probeSilentClient(socket, beat);
  try {
    await writeStates({ ...options, asker: place.asker }, call, stream, end.signal);
  } finally {
    clearInterval(heartbeat);
    stopProbes();
  }
}

async function writeStates(
  options: CallOptions & FollowDependencies,
  call: CallIdentity,
  stream: PassThrough,
  signal: AbortSignal,
) {
  let last = '';
  for await (const state of followCall(options, call, signal)) {
    const view = JSON.stringify(toCallView(await untilNextKnown(state, options.calls, options.asker), options.lookup));
    if (view !== last && !signal.aborted) {
      last = view;
      stream.write(`event: state\ndata: ${view}\n\n`);
    }
  }
}
