import type { Socket } from 'node:net';
import type { CallIdentity } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import { untilNextKnown } from '../chain/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { answerWhenKnown, untilEnded, WaitEnd, type WaiterPlace } from '../waiting/index.ts';
import type { CallOptions } from './call-options.ts';
import { type CallView, toCallView } from './call-view.ts';

export const notFound: Refusal = refusal('call_not_found', 'No call with this id is known, or it ended too long ago.');

/** The call to wait for, and the time limit. */
export interface Wait {
  readonly call: CallIdentity;
  readonly waitMs: number;
  /** Released when the wait is over. */
  readonly place: WaiterPlace;
}

/** Answers with the state of a call once it has ended, or with its state when the time is up. */
export function answerAtEnd(options: CallOptions, wait: Wait, reply: FastifyReply): Promise<FastifyReply> {
  return answerWhenKnown(reply, waitForEnd(options, wait, reply.request.raw.socket), notFound);
}

async function waitForEnd(
  options: CallOptions,
  { call, waitMs, place }: Wait,
  socket: Socket,
): Promise<CallView | undefined> {
  using _ = place;
  using end = new WaitEnd({ socket, stopping: options.stopping, waitMs });
  const state = await untilEnded({ ...options, asker: place.asker }, call, end);
  const known = await untilNextKnown(state, options.calls, place.asker);
  return known && toCallView(known, options.lookup);
}
