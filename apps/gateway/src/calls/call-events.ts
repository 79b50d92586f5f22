import type { CallIdentity } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import { untilNextKnown } from '../chain/index.ts';
import { followCall, sendEventStream, type WaiterPlace } from '../waiting/index.ts';
import type { CallOptions } from './call-options.ts';
import { toCallView } from './call-view.ts';

/** Sends each state of a call that differs from the previous one, until its end. */
export function sendEvents(
  options: CallOptions,
  call: CallIdentity,
  place: WaiterPlace,
  reply: FastifyReply,
): FastifyReply {
  const { asker } = place;
  async function* states(signal: AbortSignal): AsyncGenerator<string, void, void> {
    for await (const state of followCall({ ...options, asker }, call, signal)) {
      yield JSON.stringify(toCallView(await untilNextKnown(state, options.calls, asker), options.lookup));
    }
  }
  return sendEventStream(reply, { place, stopping: options.stopping, states });
}
