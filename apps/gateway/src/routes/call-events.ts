import { PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { toCallView } from '../call-view.ts';
import { followCall } from '../follow-call.ts';
import { probeHalfClosed } from '../http/half-closed.ts';
import type { CallOptions } from './calls.ts';

/** A comment now and then, so that no proxy takes the connection for dead. */
const heartbeatMs = 15_000;

/** Whether the client wants events rather than one answer. */
export function wantsEvents(accept: string | undefined): boolean {
  return accept?.split(',').some((type) => /^\s*text\/event-stream\s*(;|$)/i.test(type)) === true;
}

/**
 * Sends each state of a call that differs from the one before, until its end, as server-sent events (WHATWG HTML, 9.2).
 * Ends as well when the client goes away and when the gateway stops.
 */
export function sendEvents(options: CallOptions, callId: string, reply: FastifyReply): FastifyReply {
  const stream = new PassThrough();
  const gone = new AbortController();
  const beat = (): void => void stream.write(': still here\n\n');
  const heartbeat = setInterval(beat, heartbeatMs).unref();
  const stopProbes = probeHalfClosed(reply.request.raw.socket, beat);
  stream.once('close', () => {
    clearInterval(heartbeat);
    stopProbes();
    gone.abort();
  });
  void writeStates(options, callId, stream, AbortSignal.any([gone.signal, options.stopping])).finally(() =>
    stream.end(),
  );
  return reply.code(200).type('text/event-stream').send(stream);
}

async function writeStates(options: CallOptions, callId: string, stream: PassThrough, signal: AbortSignal) {
  let last = '';
  for await (const standing of followCall(options, callId, signal)) {
    const state = JSON.stringify(toCallView(standing, options.lookup));
    if (state !== last && !signal.aborted) {
      last = state;
      stream.write(`event: state\ndata: ${state}\n\n`);
    }
  }
}
