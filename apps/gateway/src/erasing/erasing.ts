import { ownerOf } from '@asyncfn/queue-core';
import type { CallEraser, EraseResult } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type CallPlaces, callerOf, findCall } from '../auth/index.ts';
import { toQueueRefusal } from '../enqueue/index.ts';
import { nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { type ErasedCallParams, type ErasedCallQuery, eraseSchema } from './erasing-schema.ts';

export interface ErasingOptions extends CallPlaces {
  readonly eraser: Pick<CallEraser, 'erase'>;
  /** Whether calls can be found. */
  readonly places: { readonly available: boolean };
  readonly logger: Logger;
}

type OneCall = FastifyRequest<{ Params: ErasedCallParams; Querystring: ErasedCallQuery }>;

/** `DELETE /system/calls/:callId`, for operators who are asked to forget. */
export const erasingRoutes: FastifyPluginCallbackTypebox<ErasingOptions> = (app, options, done) => {
  readJsonBodies(app);
  nameInvalidParameters(app);
  requireBroker(app, options.places);
  app.delete<{ Params: ErasedCallParams; Querystring: ErasedCallQuery }>(
    '/system/calls/:callId',
    { schema: eraseSchema, config: { scope: 'admin' } },
    (request, reply) => erase(options, request, reply),
  );
  done();
};

async function erase(options: ErasingOptions, request: OneCall, reply: FastifyReply) {
  const { callId } = request.params;
  const { submitter } = request.query;
  const state = await findCall(options, callerOf(request), { callId, submitter });
  if (state?.kind === 'active') {
    return reply.refuse(stillOpen.call);
  }
  // A call without a state may still have a dead letter.
  const owner = submitter === undefined ? {} : { owner: ownerOf(submitter === '' ? undefined : submitter) };
  const result = await options.eraser.erase({ callId, ...owner }, state);
  if (result.kind === 'erased') {
    options.logger.info({ callId }, 'call erased');
    return reply.code(204).send();
  }
  return reply.refuse(toRefusal(result));
}

function toRefusal(result: Exclude<EraseResult, { kind: 'erased' }>): Refusal {
  switch (result.kind) {
    case 'unknown':
      return refusal('call_not_found', 'Nothing is kept of a call with this id.');
    case 'open':
      return stillOpen[result.what];
    case 'refused':
      return { ...toQueueRefusal(result.reason), detail: notErased, reason: result.detail };
  }
}

const notErased = 'The call may not be erased yet. Send the request again.';

const stillOpen = {
  call: refusal(
    'not_ended',
    'The call has not ended yet, or is just ending. Cancel it, or try again when it has ended.',
  ),
  chain: refusal('not_ended', 'A later step of its chain has not ended yet. Try again when it has.'),
  callback: refusal('not_ended', 'Its callback is being sent. Try again in a few seconds.'),
};
