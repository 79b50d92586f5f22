import { FairTurns } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { LivingCalls } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { coversFunction } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { holdBody } from '../calls/index.ts';
import { readJsonBodies, requireBroker } from '../http/index.ts';
import { type CancelMatchingOptions, cancelMatching, livingStatuses } from './cancel-matching.ts';
import { bulkCancelSchema } from './cancel-schema.ts';
import { LivingScans } from './living-scans.ts';
import { parseSelection } from './parse-selection.ts';

export interface BulkCancelOptions extends Pick<CancelMatchingOptions, 'canceller'> {
  readonly living: Pick<LivingCalls, 'each'>;
  readonly names: Pick<FunctionNames, 'namesOf'>;
  /** Whether calls can be found, and it is known what functions are called. */
  readonly places: { readonly available: boolean };
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  readonly logger: Logger;
}

interface RouteParts extends BulkCancelOptions {
  readonly scans: LivingScans;
  readonly turns: FairTurns;
}

/** The broker has other work: one at a time, and none that waits for longer. */
const turnOptions = { max: 1, waitMs: 10_000 } as const;

/** `POST /system/calls/cancel`, for operators. */
export const bulkCancelRoutes: FastifyPluginCallbackTypebox<BulkCancelOptions> = (app, options, done) => {
  const parts = { ...options, scans: new LivingScans(options.living), turns: new FairTurns(turnOptions) };
  readJsonBodies(app);
  requireBroker(app, options.places);
  app.post(
    '/system/calls/cancel',
    // The schema describes the body, and the parser checks it.
    { schema: bulkCancelSchema, config: { scope: 'admin' }, validatorCompiler: () => (value) => ({ value }) },
    (request, reply) => cancelMany(parts, request, reply),
  );
  done();
};

async function cancelMany(
  { canceller, names, stopping: signal, logger, scans, turns }: RouteParts,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const caller = callerOf(request);
  const { filter, limit } = parseSelection(request.body, names);
  const { functions, queue, label, fromMs, toMs, statuses = livingStatuses } = filter;
  const told = { functions, queue, label, statuses: [...statuses], token: caller.name };
  const key = JSON.stringify([told, fromMs, toMs]);
  const covers = (name: string): boolean => coversFunction(caller, name, names);
  const { cancelled, end } = await turns.run(async () => {
    const scan = scans.open(key, { ...filter, statuses, covers });
    const result = await cancelMatching(scan, statuses, { canceller, hold: holdBody(request), limit, signal });
    if (result.end === 'cut') {
      scans.keep(key, scan);
    }
    return result;
  }, caller.name);
  const complete = end === 'complete';
  logger.info({ ...told, cancelled, complete, durationMs: Math.round(reply.elapsedTime) }, 'calls cancelled');
  return reply.code(202).send({ cancelled, complete });
}
