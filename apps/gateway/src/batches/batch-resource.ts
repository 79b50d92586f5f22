import { parseDuration } from '@asyncfn/units';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { keepFromCaches, nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { refusal } from '../problem.ts';
import { sendEventsHead, wantsEvents } from '../waiting/index.ts';
import {
  type BatchParams,
  cancelSchema,
  type ResultsQuery,
  resultsSchema,
  stateSchema,
  type WaitQuery,
} from './batch-schemas.ts';
import {
  answerAtEnd,
  cancelBatch,
  findBatch,
  type ReadingOptions,
  readView,
  sendEvents,
  sendResults,
} from './reading/index.ts';

export interface BatchResourceOptions extends ReadingOptions {
  /** Whether batches can be found, and it is known what functions are called. */
  readonly places: { readonly available: boolean };
}

type OneBatch = FastifyRequest<{ Params: BatchParams }>;

const longestWaitMs = 5 * 60_000;
const defaultLimit = 1_000;
const invalidWait = refusal('invalid_parameter', 'wait must be a duration of up to 5m, such as 30s.');

/** `/async-batch/:batchId`: state, results and cancellation of a batch, for its caller. */
export const batchResource: FastifyPluginCallbackTypebox<BatchResourceOptions> = (app, options, done) => {
  readJsonBodies(app);
  nameInvalidParameters(app);
  requireBroker(app, options.places);
  keepFromCaches(app);
  app.get<{ Params: BatchParams; Querystring: WaitQuery }>(
    '/async-batch/:batchId',
    { schema: stateSchema, config: { scope: 'caller' } },
    (request, reply) => showState(options, request, reply),
  );
  app.delete<{ Params: BatchParams }>(
    '/async-batch/:batchId',
    { schema: cancelSchema, config: { scope: 'caller' } },
    (request, reply) => cancel(options, request, reply),
  );
  app.get<{ Params: BatchParams; Querystring: ResultsQuery }>(
    '/async-batch/:batchId/results',
    { schema: resultsSchema, config: { scope: 'caller' } },
    (request, reply) => showResults(options, request, reply),
  );
  done();
};

async function showState(
  options: BatchResourceOptions,
  request: FastifyRequest<{ Params: BatchParams; Querystring: WaitQuery }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { method, query, headers, params } = request;
  const waitMs = query.wait === undefined ? 0 : parseDuration(query.wait);
  if (waitMs === undefined || waitMs > longestWaitMs) {
    return reply.refuse(invalidWait);
  }
  const caller = callerOf(request);
  const found = await findBatch(options, caller, params.batchId, 'read');
  if (found.kind === 'refused') {
    return reply.refuse(found);
  }
  const asEvents = wantsEvents(headers.accept);
  if (method === 'HEAD' && asEvents) {
    return sendEventsHead(reply);
  }
  const view = await readView(options, found.state);
  // The answer to HEAD does not depend on the end of the batch, so it does not wait.
  if (method === 'HEAD' || (!asEvents && (waitMs === 0 || view.endedAt !== undefined))) {
    return reply.send(view);
  }
  const place = options.waiters.admit(caller);
  if (place.kind === 'refused') {
    return reply.refuse(place);
  }
  return asEvents
    ? sendEvents(options, found.state, place, reply)
    : await answerAtEnd(options, found.state, { waitMs, place }, reply);
}

async function cancel(options: BatchResourceOptions, request: OneBatch, reply: FastifyReply): Promise<FastifyReply> {
  const caller = callerOf(request);
  const found = await findBatch(options, caller, request.params.batchId, 'cancel');
  if (found.kind === 'refused') {
    return reply.refuse(found);
  }
  const { bodyBudget } = request.server;
  const result = await cancelBatch(options, found.state, (bytes) => {
    const share = bodyBudget.open(bytes, () => {}, caller.name);
    share?.complete();
    return share && { [Symbol.dispose]: () => share.release() };
  });
  return 'kind' in result ? reply.refuse(result) : reply.code(202).send(result);
}

async function showResults(
  options: BatchResourceOptions,
  request: FastifyRequest<{ Params: BatchParams; Querystring: ResultsQuery }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { cursor = '0', limit = defaultLimit } = request.query;
  const found = await findBatch(options, callerOf(request), request.params.batchId, 'read');
  return found.kind === 'refused'
    ? reply.refuse(found)
    : await sendResults(options, found.state, { cursor: Number(cursor), limit }, reply);
}
