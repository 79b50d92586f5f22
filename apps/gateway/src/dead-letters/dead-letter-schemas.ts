import { deadLetterReasons } from '@asyncfn/queue-core';
import { type Static, Type } from 'typebox';
import {
  crowdedResponse,
  functionParameter,
  jsonResponse,
  problemResponse,
  queueParameter,
  retryAfterHeader,
} from '../api/index.ts';
import { attemptsResponse } from '../calls/index.ts';

const tags = ['dead letters'];
const cursor = { pattern: '^[1-9][0-9]{0,14}$', examples: ['4217'] };

const filter = {
  function: functionParameter,
  queue: queueParameter,
  reason: Type.Optional(Type.Enum(deadLetterReasons, { examples: ['retries_exhausted'] })),
  kind: Type.Optional(
    Type.Enum(['call', 'callback'], {
      description: '`call`: calls that failed; `callback`: callbacks that were not delivered.',
    }),
  ),
};

export const ListQuery = Type.Object(
  {
    ...filter,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 100.' })),
    cursor: Type.Optional(Type.String({ ...cursor, description: '`cursor` of the previous page.' })),
  },
  { additionalProperties: false },
);

export const BulkReplayBody = Type.Object(
  {
    ...filter,
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Maximum number of dead letters to replay. Default 1000.',
      }),
    ),
    cursor: Type.Optional(
      Type.String({ ...cursor, description: '`cursor` of the previous bulk replay, to continue.' }),
    ),
  },
  { additionalProperties: false, examples: [{ function: 'thumbnail', reason: 'retries_exhausted', limit: 500 }] },
);

export const LetterParams = Type.Object({
  callId: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,128}$',
    examples: ['0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11'],
  }),
});

const submitter = Type.Optional(
  Type.String({
    description:
      'Name of the token that the call was submitted with, empty for none. Default: the call with this id that has the ' +
      'newest dead letter.',
    pattern: '^([A-Za-z0-9._-]{1,63})?$',
    examples: ['partner-x'],
  }),
);

export const SubmitterQuery = Type.Object({ submitter }, { additionalProperties: false });

export const KindQuery = Type.Object({ kind: filter.kind, submitter }, { additionalProperties: false });

export type ListQuery = Static<typeof ListQuery>;
export type BulkReplayBody = Static<typeof BulkReplayBody>;
export type LetterParams = Static<typeof LetterParams>;
export type KindQuery = Static<typeof KindQuery>;
export type SubmitterQuery = Static<typeof SubmitterQuery>;

const entry = {
  callId: Type.String(),
  submitter: Type.Optional(Type.String({ description: 'Name of the token that the call was submitted with.' })),
  kind: Type.String({ description: '`call`: the call failed; `callback`: its result was not delivered.' }),
  function: Type.String(),
  queue: Type.String(),
  reason: Type.String(),
  lastStatus: Type.Optional(Type.Integer({ description: 'Last status of the function, or of the callback receiver.' })),
  attempts: Type.Integer(),
  labels: Type.Optional(Type.Array(Type.String(), { description: '`X-Label` of the call.' })),
  createdAt: Type.String({ format: 'date-time', description: 'When the call was accepted.' }),
  endedAt: Type.String({ format: 'date-time', description: 'When the dead letter was stored.' }),
  bytes: Type.Integer({ description: 'Length of the body.' }),
  omitted: Type.Optional(
    Type.String({
      description:
        'What was left out because it does not fit into a NATS message: the `body`, or `all`. The dead letter cannot be replayed.',
    }),
  ),
};

const entryExample = {
  callId: '0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11',
  kind: 'call',
  function: 'thumbnail',
  queue: 'default',
  reason: 'retries_exhausted',
  lastStatus: 503,
  attempts: 11,
  labels: ['customer=7', 'nightly'],
  createdAt: '2026-01-31T12:00:00.000Z',
  endedAt: '2026-01-31T12:14:10.512Z',
  bytes: 48_213,
};

const Detail = Type.Object({
  ...entry,
  kinds: Type.Array(Type.String(), {
    description: 'The kinds of dead letters under this call id; `kind` selects one.',
  }),
  replays: Type.Integer({ description: 'How often the call has been replayed.' }),
  path: Type.Optional(Type.String({ description: "Sub-path after the function's name." })),
  callbackUrl: Type.Optional(Type.String({ description: 'Without query and userinfo.' })),
  functionStatus: Type.Optional(Type.Integer({ description: "The function's status, for a callback." })),
});

const invalid = problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']);
const unavailable = problemResponse('The broker is unavailable or full.', ['broker_unavailable'], retryAfterHeader);
const crowded = problemResponse(
  'The broker is unavailable, or too many look-ups wait.',
  ['broker_unavailable', 'overloaded'],
  retryAfterHeader,
);
const missing = problemResponse('No dead letter exists for this call id.', ['dead_letter_not_found']);

export const listSchema = {
  summary: 'List dead letters',
  description:
    'Failed calls and callbacks, oldest first, kept for a week. A page may have fewer than `limit` entries: only an ' +
    'answer without `cursor` is the last. Cursors stay valid while dead letters are added and removed.',
  tags,
  querystring: ListQuery,
  response: {
    200: jsonResponse(
      'A page of dead letters.',
      Type.Object({ deadLetters: Type.Array(Type.Object(entry)), cursor: Type.Optional(Type.String()) }),
      { deadLetters: [entryExample], cursor: '4218' },
    ),
    400: invalid,
    429: crowdedResponse(),
    503: crowded,
  },
};

export const showSchema = {
  summary: 'Show a dead letter',
  description:
    'The dead letter of the call, or that of its callback if the call has none. Bodies and headers are not shown.',
  tags,
  params: LetterParams,
  querystring: KindQuery,
  response: {
    200: jsonResponse('The dead letter.', Detail, {
      ...entryExample,
      kinds: ['call'],
      replays: 0,
      path: '/200x100',
      callbackUrl: 'https://example.com/done',
    }),
    400: invalid,
    404: missing,
    429: crowdedResponse(),
    503: crowded,
  },
};

export const attemptsSchema = {
  summary: 'List the attempts of a failed call',
  description:
    'As `GET /async-function/CALL-ID/attempts`, as long as the dead letter is kept. After a replay, those since then.',
  tags,
  params: LetterParams,
  querystring: SubmitterQuery,
  response: {
    200: attemptsResponse,
    400: invalid,
    404: missing,
    429: crowdedResponse(),
    503: crowded,
  },
};

const Replayed = Type.Object({ callId: Type.String(), status: Type.Literal('queued') });

export const replaySchema = {
  summary: 'Replay a dead letter',
  description:
    'Puts the call, as it was accepted, into the current queue of its function, with a fresh retry budget and the same ' +
    'call id. It gets a new result and another callback. A callback that was not delivered is sent again without ' +
    'calling the function. If a call id has both, the call is replayed, unless `kind` says otherwise. Safe to repeat: ' +
    'it is queued once.',
  tags,
  params: LetterParams,
  querystring: KindQuery,
  response: {
    202: jsonResponse(
      'The call or callback is queued again.',
      Replayed,
      { callId: entryExample.callId, status: 'queued' },
      {
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        Location: { schema: Type.String(), description: 'Where to read the state of the call.' },
      },
    ),
    400: invalid,
    404: problemResponse('The dead letter does not exist, or its function is not registered.', [
      'dead_letter_not_found',
      'unknown_function',
    ]),
    409: problemResponse('The dead letter cannot be replayed.', [
      'not_replayable',
      'already_replayed',
      'call_id_conflict',
    ]),
    503: problemResponse(
      'The replay is not confirmed. Nothing is lost: send the request again.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};

export const removeSchema = {
  summary: 'Drop a dead letter',
  description: 'Drops all dead letters of the call id, or only the given `kind`.',
  tags,
  params: LetterParams,
  querystring: KindQuery,
  response: {
    204: Type.Null({ description: 'Removed.' }),
    400: invalid,
    404: missing,
    503: unavailable,
  },
};

const BulkReplayed = Type.Object({
  replayed: Type.Integer(),
  skipped: Type.Integer({ description: 'Number of dead letters that were not replayed.' }),
  reasons: Type.Record(Type.String(), Type.Integer(), {
    description: 'Number of skipped dead letters for each reason.',
  }),
  cursor: Type.Optional(Type.String({ description: 'Present if there may be more: continue with it.' })),
});

export const bulkReplaySchema = {
  summary: 'Replay many dead letters',
  description:
    'Replays the oldest `limit` dead letters that match the filter, or of all without a filter. Calls that fail again ' +
    'meanwhile are left alone.',
  tags,
  consumes: ['application/json'],
  body: BulkReplayBody,
  response: {
    200: jsonResponse('Done.', BulkReplayed, { replayed: 498, skipped: 2, reasons: { unknown_function: 2 } }),
    400: invalid,
    413: problemResponse('The body is too large.', ['body_too_large']),
    503: replaySchema.response[503],
  },
};
