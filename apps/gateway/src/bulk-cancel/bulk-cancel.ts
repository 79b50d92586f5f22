import { FairTurns } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { Logger } from '@asyncfn/service-kit';
import { coversFunction } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { holdBody } from '../calls/index.ts';
import { readJsonBodies, requireBroker } from '../http/index.ts';
import { type CancelMatchingOptions, cancelMatching } from './cancel-matching.ts';
import { bulkCancelSchema } from './cancel-schema.ts';
import { parseSelection } from './parse-selection.ts';

export interface BulkCancelOptions extends Pick<CancelMatchingOptions, 'living' | 'canceller'> {
  readonly names: Pick<FunctionNames, 'namesOf'>;
  /** Whether calls can be found, and it is known what functions are called. */
  readonly places: { readonly available: boolean };
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  readonly logger: Logger;
}

/** The broker has other work: one at a time, and none that waits for longer. */
const turnOptions = { max: 1, waitMs: 10_000 } as const;

/** `POST /system/calls/cancel`, for operators. */
export const bulkCancelRoutes: FastifyPluginCallbackTypebox<BulkCancelOptions> = (app, options, done) => {
  const turns = new FairTurns(turnOptions);
  readJsonBodies(app);
  requireBroker(app, options.places);
  app.post(
    '/system/calls/cancel',
    // The schema describes the body, and the parser checks it.
    { schema: bulkCancelSchema, config: { scope: 'admin' }, validatorCompiler: () => (value) => ({ value }) },
    (request, reply) => cancelMany(options, turns, request, reply),
  );
  done();
};

async function cancelMany(
  { living, canceller, names, stopping: signal, logger }: BulkCancelOptions,
  turns: FairTurns,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const caller = callerOf(request);
  const { filter, limit } = parseSelection(request.body, names);
  const selected = { ...filter, covers: (name: string) => coversFunction(caller, name, names) };
  const deps = { living, canceller, hold: holdBody(request), limit, signal };
  const result = await turns.run(() => cancelMatching(selected, deps), caller.name);
  const { functions, queue, label } = filter;
  const statuses = filter.statuses && [...filter.statuses];
  const durationMs = Math.round(reply.elapsedTime);
  logger.info({ functions, queue, label, statuses, token: caller.name, ...result, durationMs }, 'calls cancelled');
  return reply.code(202).send(result);
}
