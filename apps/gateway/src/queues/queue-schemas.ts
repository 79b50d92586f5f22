import { type Static, Type } from 'typebox';
import { crowdedResponse, jsonResponse, problemResponse, retryAfterHeader } from '../api/index.ts';
import { FunctionParams } from '../functions/index.ts';

export const QueueParams = Type.Object({
  queue: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$', examples: ['default'] }),
});

export type QueueParams = Static<typeof QueueParams>;

const depth = Type.Integer({ description: 'Ready calls that no worker has.' });
const inFlight = Type.Integer({
  description: 'Calls that a worker has, or has given back and that no worker has taken again.',
});
const oldestAgeSeconds = Type.Number({
  description: 'How long the oldest of the `depth` or `pending` calls has been ready; 0 if there are none.',
});

const queueView = {
  queue: Type.String(),
  depth,
  scheduled: Type.Integer({
    description: 'Calls that wait for their time, such as retries. Approximate under load.',
  }),
  inFlight,
  oldestAgeSeconds,
  bytes: Type.Integer({ description: 'Bytes used by the calls.' }),
  maxBytes: Type.Union([Type.Integer(), Type.Null()], { description: 'The limit of `bytes`; null for none.' }),
  rates: Type.Object(
    { inPerSecond: Type.Number(), outPerSecond: Type.Number() },
    { description: 'Messages a second over the last minute: calls, and each retry as one more.' },
  ),
  durability: Type.Object(
    { level: Type.String(), storage: Type.String(), replicas: Type.Integer() },
    {
      description:
        'Where calls are stored, and the durability of a 202: memory, single, quorum, fsync-quorum or unknown.',
    },
  ),
};

const QueueDetail = Type.Object({
  ...queueView,
  functions: Type.Array(Type.Object({ function: Type.String(), depth, inFlight, paused: Type.Boolean() })),
});

const queueExample = {
  queue: 'default',
  depth: 1204,
  scheduled: 17,
  inFlight: 50,
  oldestAgeSeconds: 24.113,
  bytes: 3_145_728,
  maxBytes: 10_737_418_240,
  rates: { inPerSecond: 210.5, outPerSecond: 248.2 },
  durability: { level: 'quorum', storage: 'file', replicas: 3 },
};

const invalid = problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']);
const unavailable = problemResponse(
  'The broker is unavailable, or too many look-ups wait.',
  ['broker_unavailable', 'overloaded'],
  retryAfterHeader,
);

export const listQueuesSchema = {
  summary: 'List the queues',
  description: 'All queues, by name. A queue is created when a function first names it.',
  tags: ['queues'],
  response: {
    200: jsonResponse('The queues.', Type.Object({ queues: Type.Array(Type.Object(queueView)) }), {
      queues: [queueExample],
    }),
    429: crowdedResponse(),
    503: unavailable,
  },
};

export const showQueueSchema = {
  summary: 'Show a queue',
  description: 'Includes the backlog of each function.',
  tags: ['queues'],
  params: QueueParams,
  response: {
    200: jsonResponse('The queue.', QueueDetail, {
      ...queueExample,
      functions: [{ function: 'thumbnail', depth: 1204, inFlight: 50, paused: false }],
    }),
    400: invalid,
    404: problemResponse('No queue of this name exists.', ['unknown_queue']),
    429: crowdedResponse(),
    503: unavailable,
  },
};

export const scalingSchema = {
  summary: 'Read the backlog of a function',
  description:
    "For scalers such as KEDA's `metrics-api`. `pending` is exact, over all queues. It does not include retries that wait " +
    'for their time. A function without calls has zeros.',
  tags: ['functions'],
  params: FunctionParams,
  response: {
    200: jsonResponse('The backlog of the function.', Type.Object({ pending: depth, inFlight, oldestAgeSeconds }), {
      pending: 1204,
      inFlight: 50,
      oldestAgeSeconds: 24.113,
    }),
    400: invalid,
    404: problemResponse('No function of this name is registered.', ['unknown_function']),
    429: crowdedResponse(),
    503: unavailable,
  },
};
