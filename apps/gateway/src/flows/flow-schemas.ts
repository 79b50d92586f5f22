import { maxParallelism } from '@asyncfn/queue-core';
import { type Static, Type } from 'typebox';
import { crowdedResponse, functionParameter, jsonResponse, problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['flows'];

const FlowParams = Type.Object({
  function: Type.String({
    description: '`NAME` or `NAME.NAMESPACE`',
    pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
    examples: ['ledger'],
  }),
  key: Type.String({ description: 'The flow key, percent-encoded.', pattern: '^[!-~]{1,128}$', examples: ['order-7'] }),
});

const FlowQuery = Type.Object(
  {
    submitter: Type.Optional(
      Type.String({
        description:
          'Name of the token that the calls of the key are submitted with, empty for none. Default: yours, if it has calls ' +
          'of the key, otherwise the only one that has any.',
        pattern: '^([A-Za-z0-9._-]{1,63})?$',
        examples: ['partner-x'],
      }),
    ),
  },
  { additionalProperties: false },
);

const ListQuery = Type.Object(
  {
    function: functionParameter,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 100.' })),
    cursor: Type.Optional(Type.String({ description: '`cursor` of the previous page.', maxLength: 128 })),
  },
  { additionalProperties: false },
);

const PinBody = Type.Object(
  {
    parallelism: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: maxParallelism,
        description: 'How many calls of the key may run at once. Default: what its function or the latest call says.',
      }),
    ),
    rate: Type.Optional(
      Type.String({
        description: 'How many calls of the key in any window of a length, likewise.',
        pattern: '^[1-9][0-9]{0,5}/[0-9a-z.]{1,20}$',
        examples: ['10/1m'],
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ parallelism: 3, rate: '10/1m' }] },
);

export type FlowParams = Static<typeof FlowParams>;
export type FlowQuery = Static<typeof FlowQuery>;
export type ListQuery = Static<typeof ListQuery>;
export type PinBody = Static<typeof PinBody>;

const limitSource = (without: string) =>
  Type.Union([Type.Enum(['pin', 'function', 'caller']), Type.Null()], { description: `null for ${without}` });

const FlowView = Type.Object({
  function: Type.String(),
  key: Type.String(),
  submitter: Type.Optional(Type.String({ description: 'Name of the token that its calls are submitted with.' })),
  queue: Type.String(),
  waiting: Type.Integer({ description: 'Calls that wait for their turn.' }),
  running: Type.Integer({ description: 'Calls that have their turn: they are ready, run, or wait for a retry.' }),
  parallelism: Type.Integer({ description: 'How many calls of the key may run at once.' }),
  rate: Type.Union([Type.String(), Type.Null()], {
    description: 'How many calls of the key in any window of a length, such as `10/1m`; null for no limit.',
  }),
  limitsFrom: Type.Object(
    { parallelism: limitSource('the default of one call'), rate: limitSource('no limit') },
    {
      description:
        'Who has set each limit: an operator (`pin`), the settings of the function, or the latest call that has named one (`caller`).',
    },
  ),
  paused: Type.Boolean({ description: 'Whether no further call gets its turn.' }),
  pinned: Type.Boolean({ description: 'Whether an operator has set its limits.' }),
});

const example = {
  function: 'ledger',
  key: 'order-7',
  queue: 'default',
  waiting: 12,
  running: 1,
  parallelism: 1,
  rate: null,
  limitsFrom: { parallelism: 'function', rate: null },
  paused: false,
  pinned: false,
};

const invalid = problemResponse(
  'A parameter is not valid, or several tokens have calls of the key and the request names none; `detail` says which.',
  ['invalid_parameter'],
);
const missing = problemResponse('The function is not registered, and no call of it has this key.', [
  'unknown_function',
]);
const unavailable = problemResponse(
  'The broker is unavailable, or the key changes too fast.',
  ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
  retryAfterHeader,
);

export const listFlowsSchema = {
  summary: 'List the flow keys',
  description:
    'The flow keys that have calls, or that are paused or pinned, queue by queue, those first that have not changed for longest. ' +
    'A page may have fewer keys than `limit`: only an answer without `cursor` is the last. A key that changes while you read ' +
    'pages may come twice. A token that is limited to functions sees their keys alone.',
  tags,
  querystring: ListQuery,
  response: {
    200: jsonResponse(
      'A page of keys.',
      Type.Object({
        flows: Type.Array(FlowView),
        cursor: Type.Optional(Type.String({ description: 'Where the next page begins.' })),
      }),
      { flows: [example], cursor: 'MS5kZWZhdWx0LjJi' },
    ),
    400: problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']),
    429: crowdedResponse(),
    503: unavailable,
  },
};

const one = { tags, params: FlowParams, querystring: FlowQuery };
const answers = { 400: invalid, 404: missing, 503: unavailable };

export const showFlowSchema = {
  ...one,
  summary: 'Show a flow key',
  description: 'A key without calls has zeros, and the limits that its next call would have.',
  response: {
    200: jsonResponse('The key.', FlowView, example),
    ...answers,
    403: problemResponse('The token does not allow this function.', ['forbidden']),
    429: crowdedResponse(),
  },
};

export const pauseFlowSchema = {
  ...one,
  summary: 'Pause a flow key',
  description:
    'No further call of the key gets its turn until it is resumed. Calls that have it go on, with their retries; new calls are ' +
    'accepted, and wait. Safe to repeat.',
  response: { 200: jsonResponse('It is paused.', FlowView, { ...example, paused: true }), ...answers },
};

export const resumeFlowSchema = {
  ...one,
  summary: 'Resume a flow key',
  description: 'The calls that wait get their turns, in their order. Safe to repeat.',
  response: { 200: jsonResponse('It is not paused.', FlowView, example), ...answers },
};

export const pinFlowSchema = {
  ...one,
  summary: 'Pin the limits of a flow key',
  description:
    'In place of those of its function and of callers, from the next turn on, until it is unpinned. Replaces an earlier pin.',
  consumes: ['application/json'],
  body: PinBody,
  response: {
    200: jsonResponse('It is pinned.', FlowView, {
      ...example,
      parallelism: 3,
      rate: '10/1m',
      limitsFrom: { parallelism: 'pin', rate: 'pin' },
      pinned: true,
    }),
    ...answers,
    413: problemResponse('The body is too large.', ['body_too_large']),
  },
};

export const unpinFlowSchema = {
  ...one,
  summary: 'Unpin the limits of a flow key',
  description: 'Those of its function or of callers hold again, from the next turn on. Safe to repeat.',
  response: { 204: Type.Null({ description: 'It is not pinned.' }), ...answers },
};
