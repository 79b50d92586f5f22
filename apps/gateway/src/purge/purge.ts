import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { QueueTopology } from '@asyncfn/queue-core/jetstream';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';
import type { CallLookup } from '../auth/index.ts';
import type { AcceptContext } from '../enqueue/index.ts';
import { nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { refusal } from '../problem.ts';
import type { PurgeJobs, PurgeProgress } from './purge-jobs.ts';

export interface PurgeOptions extends Pick<AcceptContext, 'lookup'> {
  readonly names: Pick<FunctionNames, 'resolve'>;
  readonly jobs: Pick<PurgeJobs, 'run'>;
  readonly queues: Pick<QueueTopology, 'listQueues'>;
  readonly calls: Pick<CallLookup, 'available'>;
}

/** Seconds after which a client should ask for the progress of a purge again. */
const askAgain = 5;

const Purged = Type.Object({
  purged: Type.Integer({ description: 'Calls cancelled so far.' }),
  done: Type.Boolean({ description: 'Whether all calls that waited when the purge began are cancelled.' }),
});

const common = {
  tags: ['operations'],
  response: {
    200: {
      description: 'The purge is complete.',
      content: { 'application/json': { schema: Purged, example: { purged: 1204, done: true } } },
    },
    202: {
      description: 'The purge continues. Send the same request again to see its progress.',
      headers: retryAfterHeader,
      content: { 'application/json': { schema: Purged, example: { purged: 31_232, done: false } } },
    },
    400: problemResponse('The name is not valid.', ['invalid_parameter']),
    503: problemResponse(
      'The broker is unavailable. Cancelled calls stay cancelled.',
      ['broker_unavailable'],
      retryAfterHeader,
    ),
  },
};

const description =
  'Every call that waits for its turn, its time or a retry ends as `cancelled`, without a callback or a dead letter. ' +
  'Running calls, and calls accepted after the start, are left alone. A purge that takes longer than 5 s continues by ' +
  'itself; if its gateway stops, the remaining calls stay queued, and the next request resumes with them.';

const QueueParams = Type.Object({ queue: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$', examples: ['default'] }) });
const FunctionParams = Type.Object({
  name: Type.String({
    description: '`NAME` or `NAME.NAMESPACE`',
    pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
    examples: ['thumbnail'],
  }),
});

/** `POST /system/{queues,functions}/.../purge`: cancels waiting calls. */
export const purgeRoutes: FastifyPluginCallbackTypebox<PurgeOptions> = (app, options, done) => {
  readJsonBodies(app);
  nameInvalidParameters(app);
  requireBroker(app, options.calls);
  app.post<{ Params: Static<typeof QueueParams> }>(
    '/system/queues/:queue/purge',
    {
      config: { scope: 'admin' },
      schema: {
        ...common,
        summary: 'Cancel all waiting calls of a queue',
        description,
        params: QueueParams,
        response: { ...common.response, 404: problemResponse('The queue does not exist.', ['unknown_queue']) },
      },
    },
    (request, reply) => purgeQueue(options, request.params.queue, reply),
  );
  app.post<{ Params: Static<typeof FunctionParams> }>(
    '/system/functions/:name/purge',
    {
      config: { scope: 'admin' },
      schema: {
        ...common,
        summary: 'Cancel all waiting calls of a function',
        description: `${description} This includes calls of a function that is no longer registered.`,
        params: FunctionParams,
        response: {
          ...common.response,
          404: problemResponse('The function is not registered and has no waiting calls.', ['unknown_function']),
        },
      },
    },
    (request, reply) => purgeFunction(options, options.names.resolve(request.params.name), reply),
  );
  done();
};

async function purgeQueue({ jobs, queues }: PurgeOptions, queue: string, reply: FastifyReply) {
  if (!(await queues.listQueues()).includes(queue)) {
    return reply.refuse(refusal('unknown_queue', 'No queue of this name exists.'));
  }
  return send(reply, await jobs.run({ queue }));
}

async function purgeFunction({ jobs, lookup }: PurgeOptions, name: string, reply: FastifyReply) {
  const progress = await jobs.run({ function: name });
  if (progress.done && progress.purged === 0 && lookup(name) === undefined) {
    return reply.refuse(
      refusal('unknown_function', 'No function of this name is registered, and it has no waiting calls.'),
    );
  }
  return send(reply, progress);
}

function send(reply: FastifyReply, progress: PurgeProgress): FastifyReply {
  return progress.done
    ? reply.code(200).send(progress)
    : reply.code(202).header('Retry-After', String(askAgain)).send(progress);
}
