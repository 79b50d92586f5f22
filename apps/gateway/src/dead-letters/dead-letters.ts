import { type CallAddress, ownerOf } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { DeadLetterStore, ReplayRefusal } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toAttemptViews } from '../calls/index.ts';
import { type AcceptContext, toQueueRefusal } from '../enqueue/index.ts';
import { nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { type Lists, takeTurns } from '../waiting/index.ts';
import {
  attemptsSchema,
  type BulkReplayBody,
  bulkReplaySchema,
  type KindQuery,
  type LetterParams,
  type ListQuery,
  listSchema,
  removeSchema,
  replaySchema,
  type SubmitterQuery,
  showSchema,
} from './dead-letter-schemas.ts';
import { attemptsOfLetter, toDetailView, toListView } from './dead-letter-view.ts';

/** The part of the dead letters that the gateway uses. */
export type DeadLetterAdmin = Pick<DeadLetterStore, 'available' | 'list' | 'find' | 'remove' | 'replay' | 'replayMany'>;

export interface DeadLetterOptions extends Pick<AcceptContext, 'lookup'> {
  readonly names: Pick<FunctionNames, 'resolve'>;
  readonly deadLetters: DeadLetterAdmin;
  readonly lists: Lists;
  readonly logger: Logger;
}

const defaultPage = 100;
const defaultBulk = 1_000;
const collection = '/system/dead-letters';

/** Dead letters belong to all functions and callers, bodies included. */
const config = { scope: 'admin' } as const;

type OneLetter = FastifyRequest<{ Params: LetterParams; Querystring: KindQuery }>;

/** `/system/dead-letters`: failed calls and callbacks, for operators to inspect, replay and drop. */
export const deadLetterRoutes: FastifyPluginCallbackTypebox<DeadLetterOptions> = (app, options, done) => {
  readJsonBodies(app);
  nameInvalidParameters(app);
  requireBroker(app, options.deadLetters);
  takeTurns(app, options.lists);
  app.get<{ Querystring: ListQuery }>(collection, { config, schema: listSchema }, ({ query }) => list(options, query));
  app.get<{ Params: LetterParams; Querystring: KindQuery }>(
    `${collection}/:callId`,
    { config, schema: showSchema },
    (request, reply) => show(options, request, reply),
  );
  app.get<{ Params: LetterParams; Querystring: SubmitterQuery }>(
    `${collection}/:callId/attempts`,
    { config, schema: attemptsSchema },
    (request, reply) => showAttempts(options, request, reply),
  );
  app.delete<{ Params: LetterParams; Querystring: KindQuery }>(
    `${collection}/:callId`,
    { config, schema: removeSchema },
    (request, reply) => remove(options, request, reply),
  );
  app.post<{ Params: LetterParams; Querystring: KindQuery }>(
    `${collection}/:callId/replay`,
    { config, schema: replaySchema },
    (request, reply) => replay(options, request, reply),
  );
  app.post<{ Body: BulkReplayBody }>(`${collection}/replay`, { config, schema: bulkReplaySchema }, (request, reply) =>
    replayMany(options, request.body, reply),
  );
  done();
};

async function list({ deadLetters, names }: DeadLetterOptions, { limit = defaultPage, cursor, ...query }: ListQuery) {
  const { entries, next } = await deadLetters.list(query, { limit, from: toSequence(cursor) });
  return { deadLetters: entries.map((entry) => toListView(entry, names)), cursor: toCursor(next) };
}

async function show({ deadLetters, names }: DeadLetterOptions, { params, query }: OneLetter, reply: FastifyReply) {
  const found = await deadLetters.find(toAddress(params, query));
  const wanted = found.find(({ letter }) => query.kind === undefined || letter.kind === query.kind);
  return wanted === undefined
    ? reply.refuse(notFound)
    : toDetailView(
        wanted,
        found.map(({ letter }) => letter.kind),
        names,
      );
}

async function showAttempts({ deadLetters }: DeadLetterOptions, { params, query }: OneLetter, reply: FastifyReply) {
  const [letter] = await deadLetters.find(toAddress(params, query), 'call');
  return letter === undefined ? reply.refuse(notFound) : toAttemptViews(attemptsOfLetter(letter));
}

async function remove({ deadLetters, logger }: DeadLetterOptions, { params, query }: OneLetter, reply: FastifyReply) {
  const { callId } = params;
  if (!(await deadLetters.remove(toAddress(params, query), query.kind))) {
    return reply.refuse(notFound);
  }
  logger.info({ callId, kind: query.kind }, 'dead letter dropped');
  return reply.code(204).send();
}

async function replay(options: DeadLetterOptions, { params, query }: OneLetter, reply: FastifyReply) {
  const { deadLetters, lookup, logger } = options;
  const { callId } = params;
  const result = await deadLetters.replay(toAddress(params, query), lookup, query.kind);
  if (result.kind !== 'replayed') {
    if (result.kind === 'refused') {
      logger.debug({ callId, reason: result.reason, detail: result.detail }, 'queue refused the replay');
    }
    return reply.refuse(result.kind === 'kept' ? refusals[result.refusal] : toQueueRefusal(result.reason));
  }
  logger.info({ callId, queue: result.queue }, 'dead letter replayed');
  return reply
    .code(202)
    .headers({ 'X-Call-Id': callId, Location: `/async-function/${callId}` })
    .send({ callId, status: 'queued' });
}

async function replayMany(options: DeadLetterOptions, body: BulkReplayBody, reply: FastifyReply) {
  const { deadLetters, lookup, logger } = options;
  const { limit = defaultBulk, cursor, ...query } = body;
  const result = await deadLetters.replayMany(query, { limit, from: toSequence(cursor) }, lookup);
  const { replayed, skipped, refusals: reasons } = result;
  const counts = { replayed, skipped, reasons };
  if (result.kind === 'refused') {
    logger.warn({ ...counts, reason: result.reason, detail: result.detail }, 'replay of dead letters stopped early');
    return reply.refuse(toQueueRefusal(result.reason));
  }
  logger.info({ ...counts, durationMs: Math.round(reply.elapsedTime) }, 'dead letters replayed');
  return { ...counts, cursor: toCursor(result.next) };
}

const notFound = refusal('dead_letter_not_found', 'No dead letter exists for this call id.');

/** Why a replay was refused, as a problem. */
const refusals: Readonly<Record<ReplayRefusal, Refusal>> = {
  dead_letter_not_found: notFound,
  unknown_function: refusal('unknown_function', 'The function is not registered. The dead letter is kept.'),
  not_replayable: refusal(
    'not_replayable',
    'The dead letter cannot be read, or is too large for the queue. It is kept.',
  ),
  already_replayed: refusal(
    'already_replayed',
    'The dead letter was already replayed, and the replay has ended. It is dropped now.',
  ),
  call_id_conflict: refusal('call_id_conflict', 'A call with this id is still active. The dead letter is kept.'),
};

/** Selects one of several calls with the same id. Without a submitter, the one with the newest dead letter. */
function toAddress({ callId }: LetterParams, { submitter }: KindQuery): CallAddress {
  return { callId, ...(submitter !== undefined && { owner: ownerOf(submitter === '' ? undefined : submitter) }) };
}

function toSequence(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Number(cursor);
}

function toCursor(next: number | undefined): string | undefined {
  return next === undefined ? undefined : String(next);
}
