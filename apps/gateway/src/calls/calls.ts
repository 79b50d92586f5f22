import { addressOf, type CallState } from '@asyncfn/queue-core';
import type { CancelResult, HoldBody } from '@asyncfn/queue-core/jetstream';
import { parseDuration } from '@asyncfn/units';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf, decideCallAccess, findCall, identityOfState } from '../auth/index.ts';
import { untilNextKnown } from '../chain/index.ts';
import { toQueueRefusal } from '../enqueue/index.ts';
import { keepFromCaches, nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { refusal } from '../problem.ts';
import { sendResult } from '../results/index.ts';
import { sendEventsHead, wantsEvents } from '../waiting/index.ts';
import { answerAtEnd, notFound } from './answer-at-end.ts';
import { attemptsOf, toAttemptViews } from './attempt-view.ts';
import { sendEvents } from './call-events.ts';
import type { CallOptions } from './call-options.ts';
import {
  attemptsSchema,
  type CallParams,
  cancelSchema,
  resultSchema,
  type SubmitterQuery,
  stateSchema,
  type WaitQuery,
} from './call-schemas.ts';
import { toCallView } from './call-view.ts';
import { type GoneReason, goneReason } from './gone-reason.ts';

type OneCall = FastifyRequest<{ Params: CallParams; Querystring: SubmitterQuery }>;
type WaitingCall = FastifyRequest<{ Params: CallParams; Querystring: WaitQuery }>;

const longestWaitMs = 5 * 60_000;

/** `/async-function/:callId`: state, result and cancellation of a call, for its caller. */
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
  app.get<{ Params: CallParams; Querystring: SubmitterQuery }>(
    '/async-function/:callId/attempts',
    { schema: attemptsSchema, config: { scope: 'caller' } },
    (request, reply) => showAttempts(options, request, reply),
  );
  done();
};

async function showState(options: CallOptions, request: WaitingCall, reply: FastifyReply) {
  const { method, query, headers } = request;
  const waitMs = query.wait === undefined ? 0 : parseDuration(query.wait);
  if (waitMs === undefined || waitMs > longestWaitMs) {
    return reply.refuse(invalidWait);
  }
  const state = await find(options, request);
  const refused = checkAccess(options, request, state, 'read');
  if (refused !== undefined || state === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  const asEvents = wantsEvents(headers.accept);
  // The answer to HEAD does not depend on the end of the call, so it does not wait.
  const isAtOnce = method === 'HEAD' || (!asEvents && (waitMs === 0 || state.kind === 'ended'));
  if (isAtOnce) {
    return asEvents
      ? sendEventsHead(reply)
      : toCallView(await untilNextKnown(state, options.calls, callerOf(request)), options.lookup);
  }
  const place = options.waiters.admit(callerOf(request));
  if (place.kind === 'refused') {
    return reply.refuse(place);
  }
  const call = identityOfState(state);
  return asEvents ? sendEvents(options, call, place, reply) : answerAtEnd(options, { call, waitMs, place }, reply);
}

async function cancel(options: CallOptions, request: OneCall, reply: FastifyReply) {
  const { canceller, lookup, logger } = options;
  const { callId } = request.params;
  const state = await find(options, request);
  const refused = checkAccess(options, request, state, 'cancel');
  if (refused !== undefined || state === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  const result: CancelResult = await canceller.cancel(addressOf(identityOfState(state)), holdBody(request));
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

/** The body of a call that is being cancelled counts towards the budget of its caller. */
export function holdBody(request: FastifyRequest): HoldBody {
  const { bodyBudget } = request.server;
  return (bytes) => {
    const share = bodyBudget.open(bytes, () => {}, callerOf(request).name);
    share?.complete();
    return share && { [Symbol.dispose]: () => share.release() };
  };
}

async function showAttempts(options: CallOptions, request: OneCall, reply: FastifyReply) {
  const state = await find(options, request);
  const refused = checkAccess(options, request, state, 'read');
  if (refused !== undefined || state === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  return toAttemptViews(attemptsOf(state));
}

async function showResult(options: CallOptions, request: OneCall, reply: FastifyReply) {
  const state = await find(options, request);
  const refused = checkAccess(options, request, state, 'read');
  if (refused !== undefined || state === undefined) {
    return reply.refuse(refused ?? notFound);
  }
  if (state.kind === 'active') {
    return reply.refuse({ ...notEnded, members: { call: toCallView(state, options.lookup) } });
  }
  const reason = goneReason(state, options.resultTtlMs > 0);
  if (reason !== undefined) {
    return reply.refuse({ ...refusal('result_gone', goneDetails[reason]), members: { reason } });
  }
  return await sendResult(options, state, reply);
}

/**
 * Refuses a caller that may not do this with the call. A call that the caller may not know of does not exist for it.
 */
function checkAccess(
  { names }: CallOptions,
  request: OneCall | WaitingCall,
  state: CallState | undefined,
  deed: 'read' | 'cancel',
) {
  if (state === undefined) {
    return notFound;
  }
  const owner = state.kind === 'active' ? state.call : state.outcome;
  const access = decideCallAccess(callerOf(request), owner, deed, names);
  return access === 'allowed' ? undefined : access === 'hidden' ? notFound : notYours;
}

function find(options: CallOptions, request: OneCall | WaitingCall): Promise<CallState | undefined> {
  const { params, query } = request;
  return findCall(options, callerOf(request), { ...params, submitter: query.submitter });
}

const notYours = refusal('forbidden', 'The token may see this call, but not cancel it.');
const invalidWait = refusal('invalid_parameter', 'wait must be a duration of up to 5m, such as 30s.');
const alreadyEnded = refusal('already_ended', 'The call had already ended: see its state.');
const notCancelled = 'The cancellation is not confirmed. Send the request again.';
const notEnded = refusal('not_ended', 'The call has no result yet. Try again when it has ended.');

const goneDetails: Readonly<Record<GoneReason, string>> = {
  not_kept: 'This gateway does not keep results: RESULT_TTL is 0. Use a callback.',
  too_large: 'The response of the function was too large to be kept.',
  not_recorded: 'The call has ended, but its result could not be stored.',
  cancelled: 'The call was cancelled, so there is no response.',
  expired: 'The call expired before its function had answered.',
};
