import type { DurabilityLevel } from '@asyncfn/queue-core';
import type { FunctionConfig, FunctionNames } from '@asyncfn/queue-core/functions';
import type { LaneState, QueueInspector, QueueState } from '@asyncfn/queue-core/jetstream';
import { type Caller, coversFunction } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { callerOf } from '../auth/index.ts';
import type { FunctionParams } from '../functions/index.ts';
import { nameInvalidParameters } from '../http/index.ts';
import { refusal } from '../problem.ts';
import { type Lists, takeTurns } from '../waiting/index.ts';
import type { Rates } from './queue-rates.ts';
import { listQueuesSchema, type QueueParams, scalingSchema, showQueueSchema } from './queue-schemas.ts';

export interface QueueOptions {
  readonly inspector: Pick<QueueInspector, 'list' | 'find' | 'load'>;
  readonly lookup: (name: string) => FunctionConfig | undefined;
  readonly names: FunctionNames;
  readonly lists: Lists;
  readonly ratesOf: (queue: string) => Rates;
  /** Maximum number of bytes of a queue; undefined means no limit. */
  readonly maxBytesOf: (queue: string) => number | undefined;
  /** The durability of a 202. */
  readonly durability: () => DurabilityLevel | 'unknown';
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

const config = { scope: 'admin' } as const;

/** `/system/queues` and `/system/scaling`: the backlog, for people and for scalers. */
export const queueRoutes: FastifyPluginCallbackTypebox<QueueOptions> = (app, options, done) => {
  nameInvalidParameters(app);
  takeTurns(app, options.lists);
  const { inspector } = options;
  app.get('/system/queues', { config, schema: listQueuesSchema }, async () => ({
    queues: (await inspector.list()).map((state) => toView(state, options)),
  }));
  app.get<{ Params: QueueParams }>('/system/queues/:queue', { config, schema: showQueueSchema }, ({ params }, reply) =>
    show(options, params.queue, reply),
  );
  // The scope is `read`: a scaler that runs beside every function should not hold a token that may do everything.
  app.get<{ Params: FunctionParams }>(
    '/system/scaling/:name',
    { config: { scope: 'read' }, schema: scalingSchema },
    (request, reply) => scaling(options, request.params.name, callerOf(request), reply),
  );
  done();
};

async function show(options: QueueOptions, queue: string, reply: FastifyReply) {
  const state = await options.inspector.find(queue);
  if (state === undefined) {
    return reply.refuse(refusal('unknown_queue', 'No queue of this name exists.'));
  }
  return { ...toView(state, options), functions: toFunctionViews(state.lanes, options.names) };
}

/** Adds up the calls under several names of one function. */
function toFunctionViews(lanes: readonly LaneState[], names: FunctionNames) {
  const views = new Map<string, { function: string; depth: number; inFlight: number; paused: boolean }>();
  for (const lane of lanes) {
    const name = names.resolve(lane.function);
    const { depth = 0, inFlight = 0, paused = false } = views.get(name) ?? {};
    views.set(name, {
      function: name,
      depth: depth + lane.pending,
      inFlight: inFlight + lane.inFlight,
      paused: paused || lane.paused,
    });
  }
  return [...views.values()];
}

async function scaling(options: QueueOptions, name: string, caller: Caller, reply: FastifyReply) {
  const { inspector, lookup, names, now } = options;
  if (!coversFunction(caller, name, names)) {
    return reply.refuse(refusal('forbidden', 'The token does not allow this function.'));
  }
  if (lookup(name) === undefined) {
    return reply.refuse(refusal('unknown_function', 'No function of this name is registered.'));
  }
  const { pending, inFlight, oldestAtMs } = await inspector.load(name);
  return { pending, inFlight, oldestAgeSeconds: ageSeconds(oldestAtMs, now()) };
}

function toView(state: QueueState, { ratesOf, maxBytesOf, durability, now }: QueueOptions) {
  const { queue, depth, scheduled, inFlight, oldestAtMs, bytes, replicas } = state;
  return {
    queue,
    depth,
    scheduled,
    inFlight,
    oldestAgeSeconds: ageSeconds(oldestAtMs, now()),
    bytes,
    maxBytes: maxBytesOf(queue) ?? null,
    rates: ratesOf(queue),
    durability: { level: durability(), storage: 'file', replicas },
  };
}

/** The clocks of two machines may differ, so an age could be negative. */
function ageSeconds(since: number | undefined, now: number): number {
  return since === undefined ? 0 : Math.max(0, Math.round(now - since) / 1000);
}
