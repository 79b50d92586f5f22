import {
  addressOf,
  type CallCanceller,
  type CallStanding,
  type CallWatches,
  type CancelResult,
} from '@asyncfn/queue-core';
import { parseDuration } from '@asyncfn/units';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AcceptContext, toQueueRefusal } from '../accept.ts';
import { decideCallAccess } from '../auth/call-access.ts';
import { type CallLookup, findCall, identityOfStanding } from '../auth/find-call.ts';
import { toCallView } from '../call-view.ts';
import { callerOf } from '../plugins/authentication.ts';
import { requireBroker } from '../plugins/broker-required.ts';
import { readJsonBodies } from '../plugins/json-body.ts';
import { keepFromCaches } from '../plugins/keep-from-caches.ts';
import { nameInvalidParameters } from '../plugins/parameter-errors.ts';
import { refusal } from '../problem.ts';
import { type GoneReason, goneReason } from '../result/gone-reason.ts';
import { type ResultParts, sendResult } from '../result/result-sender.ts';
import { answerAtEnd, notFound } from '../waiting/answer-at-end.ts';
import { sendEvents, sendEventsHead, wantsEvents } from '../waiting/call-events.ts';
import type { Waiters } from '../waiting/waiters.ts';
import {
  type CallParams,
  cancelSchema,
  resultSchema,
  type SubmitterQuery,
  stateSchema,
  type WaitQuery,
} from './call-schemas.ts';

export interface CallOptions extends Pick<AcceptContext, 'lookup' | 'names'>, ResultParts {
  readonly calls: CallLookup;
  readonly watches: Pick<CallWatches, 'open'>;
  readonly waiters: Pick<Waiters, 'admit'>;
  /** Whether calls can be found, and it is known what functions are called. */
  readonly places: { readonly available: boolean };
  readonly canceller: Pick<CallCanceller, 'cancel'>;
  /** Aborts when the gateway stops: whoever waits is answered then. */
  readonly stopping: AbortSignal;
  /** How long results are kept, in milliseconds; 0 is not at all. */
  readonly resultTtlMs: number;
}

type OneCall = FastifyRequest<{ Params: CallParams; Querystring: SubmitterQuery }>;
type WaitingCall = FastifyRequest<{ Params: CallParams; Querystring: WaitQuery }>;

const longestWaitMs = 5 * 60_000;

/** `/async-function/:callId`: what has become of a call, for whoever made it. */
export const callRoutes: FastifyPluginCallbackTypebox<CallOptions> = (app, options, done) => {
  readJsonBodies(app);
  nameInvalidParameters(app);
  requireBroker(app, options.places);
  keepFromCaches(app);
  app.get<{ Params: CallParams; Querystring: WaitQuery }>(
    '/async-function/:callId',
    { schema: stateSchema, config: { scope: 'caller' } },
    (request, reply) => showState(options, request, reply),
  );
  app.delete<{ Params: CallParams; Querystring: SubmitterQuery }>(
    '/async-function/:callId',
    { schema: cancelSchema, config: { scope: 'caller' } },
    (request, reply) => cancel(options, request, reply),
  );
  app.get<{ Params: CallParams; Querystring: SubmitterQuery }>(
    '/async-function/:callId/result',
    { schema: resultSchema, config: { scope: 'caller' } },
    (request, reply) => showResult(options, request, reply),
  );
  done();
};

async function showState(options: CallOptions, request: WaitingCall, reply: FastifyReply) {
  const { method, query, headers } = request;
  const waitMs = query.wait === undefined ? 0 : parseDuration(query.wait);
  if (waitMs === undefined || waitMs > longestWaitMs) {
    return reply.refuse(invalidWait);
  }
  const standing = await find(options, request);
  const refused = refuseDeed(options, request, standing, 'read');
  if (refused !== undefined || standing === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  const asEvents = wantsEvents(headers.accept);
  // What a HEAD is told is the same before and after: it has nothing to wait for.
  const isAtOnce = method === 'HEAD' || (!asEvents && (waitMs === 0 || standing.kind === 'ended'));
  if (isAtOnce) {
    return asEvents ? sendEventsHead(reply) : toCallView(standing, options.lookup);
  }
  const place = options.waiters.admit(callerOf(request));
  if (place.kind === 'refused') {
    return reply.refuse(place);
  }
  const call = identityOfStanding(standing);
  return asEvents ? sendEvents(options, call, place, reply) : answerAtEnd(options, { call, waitMs, place }, reply);
}

async function cancel(options: CallOptions, request: OneCall, reply: FastifyReply) {
  const { canceller, lookup, logger } = options;
  const { callId } = request.params;
  const standing = await find(options, request);
  const refused = refuseDeed(options, request, standing, 'cancel');
  if (refused !== undefined || standing === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  const result: CancelResult = await canceller.cancel(addressOf(identityOfStanding(standing)));
  switch (result.kind) {
    case 'cancelled':
      logger.info(
        { callId, function: result.call.outcome.function, queue: result.call.outcome.queue },
        'call cancelled',
      );
      return reply.code(202).send(toCallView(result.call, lookup));
    case 'ended':
      return reply.refuse({ ...alreadyEnded, members: { call: toCallView(result.call, lookup) } });
    case 'unknown':
      return reply.refuse(notFound);
    case 'refused':
      return reply.refuse({ ...toQueueRefusal(result.reason), detail: notCancelled, reason: result.detail });
  }
}

async function showResult(options: CallOptions, request: OneCall, reply: FastifyReply) {
  const standing = await find(options, request);
  const refused = refuseDeed(options, request, standing, 'read');
  if (refused !== undefined || standing === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  if (standing.kind === 'alive') {
    return reply.refuse({ ...notEnded, members: { call: toCallView(standing, options.lookup) } });
  }
  const reason = goneReason(standing, options.resultTtlMs > 0);
  if (reason !== undefined) {
    return reply.refuse({ ...refusal('result_gone', goneDetails[reason]), members: { reason } });
  }
  return await sendResult(options, standing, reply);
}

/** The refusal of a caller that may not do this with the call. What a caller may not know of is not there. */
function refuseDeed(
  { names }: CallOptions,
  request: OneCall | WaitingCall,
  standing: CallStanding | undefined,
  deed: 'read' | 'cancel',
) {
  if (standing === undefined) {
    return notFound;
  }
  const owner = standing.kind === 'alive' ? standing.call : standing.outcome;
  const access = decideCallAccess(callerOf(request), owner, deed, names);
  return access === 'allowed' ? undefined : access === 'hidden' ? notFound : notYours;
}

function find(options: CallOptions, request: OneCall | WaitingCall): Promise<CallStanding | undefined> {
  const { params, query } = request;
  return findCall(options, callerOf(request), { ...params, submitter: query.submitter });
}

const notYours = refusal('forbidden', 'The token may see this call, but not cancel it.');
const invalidWait = refusal('invalid_parameter', 'wait must be a duration of up to 5m, such as 30s.');
const alreadyEnded = refusal('already_ended', 'The call had ended already: see its state.');
const notCancelled = 'Nothing confirms that the call was cancelled. Send the request again.';
const notEnded = refusal('not_ended', 'The call has no result yet. Ask again when it has ended.');

const goneDetails: Readonly<Record<GoneReason, string>> = {
  not_kept: 'Results are not kept here: RESULT_TTL is 0. Use a callback.',
  too_large: 'The response of the function was larger than what is kept.',
  not_recorded: 'The call has ended, but its result could not be recorded.',
  cancelled: 'The call was cancelled, so there is no response.',
  expired: 'The call expired before its function had answered.',
};
