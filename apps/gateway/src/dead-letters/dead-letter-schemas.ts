import { deadLetterReasons } from '@asyncfn/queue-core';
import { type Static, Type } from 'typebox';
import { jsonResponse, problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['dead letters'];
const cursor = { pattern: '^[1-9][0-9]{0,14}$', examples: ['4217'] };

const filter = {
  function: Type.Optional(
    Type.String({
      description: '`NAME` or `NAME.NAMESPACE`',
      pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
      examples: ['thumbnail'],
    }),
  ),
  queue: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$', examples: ['default'] })),
  reason: Type.Optional(Type.Enum(deadLetterReasons, { examples: ['retries_exhausted'] })),
  kind: Type.Optional(
    Type.Enum(['call', 'callback'], {
      description: 'Calls whose function failed, or callbacks that were not delivered.',
    }),
  ),
};

export const ListQuery = Type.Object(
  {
    ...filter,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 100.' })),
    cursor: Type.Optional(Type.String({ ...cursor, description: '`cursor` of the page before.' })),
  },
  { additionalProperties: false },
);

export const BulkReplayBody = Type.Object(
  {
    ...filter,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Most dead letters to take up. Default 1000.' }),
    ),
    cursor: Type.Optional(Type.String({ ...cursor, description: '`cursor` of the bulk replay before, to go on.' })),
  },
  { additionalProperties: false, examples: [{ function: 'thumbnail', reason: 'retries_exhausted', limit: 500 }] },
);

export const LetterParams = Type.Object({
  callId: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,128}$',
    examples: ['0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11'],
  }),
});

export const KindQuery = Type.Object(
  {
    kind: filter.kind,
    submitter: Type.Optional(
      Type.String({
        description:
          'Name of the token that the call was submitted with, empty for none. Default: of the calls of this id, the one ' +
          'with the newest dead letter.',
        pattern: '^([A-Za-z0-9._-]{1,63})?$',
        examples: ['partner-x'],
      }),
    ),
  },
  { additionalProperties: false },
);

export type ListQuery = Static<typeof ListQuery>;
export type BulkReplayBody = Static<typeof BulkReplayBody>;
export type LetterParams = Static<typeof LetterParams>;
export type KindQuery = Static<typeof KindQuery>;

const entry = {
  callId: Type.String(),
  submitter: Type.Optional(Type.String({ description: 'Name of the token that the call was submitted with.' })),
  kind: Type.String({ description: '`call`: the function failed; `callback`: its result was not delivered.' }),
  function: Type.String(),
  queue: Type.String(),
  reason: Type.String(),
  lastStatus: Type.Optional(Type.Integer({ description: 'Of the function, or of the receiver of the callback.' })),
  attempts: Type.Integer(),
  createdAt: Type.String({ format: 'date-time', description: 'When the call was accepted.' }),
  endedAt: Type.String({ format: 'date-time', description: 'When it came here.' }),
  bytes: Type.Integer({ description: 'Length of its body.' }),
  omitted: Type.Optional(
    Type.String({
      description:
        'What is not kept of it, because no message of NATS holds it: its `body`, or `all` of it. It cannot be replayed.',
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
  createdAt: '2026-01-31T12:00:00.000Z',
  endedAt: '2026-01-31T12:14:10.512Z',
  bytes: 48_213,
};

const Detail = Type.Object({
  ...entry,
  kinds: Type.Array(Type.String(), { description: 'What there is under this call id; `kind` chooses.' }),
  replays: Type.Integer({ description: 'How often the call was replayed before.' }),
  path: Type.Optional(Type.String({ description: "Sub-path behind the function's name." })),
  callbackUrl: Type.Optional(Type.String({ description: 'Without query and userinfo.' })),
  functionStatus: Type.Optional(Type.Integer({ description: "The function's status, for a callback." })),
});

const invalid = problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']);
const unavailable = problemResponse('The broker is away or full.', ['broker_unavailable'], retryAfterHeader);
const missing = problemResponse('There is no dead letter under this call id.', ['dead_letter_not_found']);

export const listSchema = {
  summary: 'List dead letters',
  description:
    'Calls and callbacks that came to a bad end, oldest first, kept for a week. A page may have fewer than `limit`: ' +
    'only an answer without `cursor` is the last. Cursors stay right while dead letters come and go.',
  tags,
  querystring: ListQuery,
  response: {
    200: jsonResponse(
      'A page of them.',
      Type.Object({ deadLetters: Type.Array(Type.Object(entry)), cursor: Type.Optional(Type.String()) }),
      { deadLetters: [entryExample], cursor: '4218' },
    ),
    400: invalid,
    503: unavailable,
  },
};

export const showSchema = {
  summary: 'Show a dead letter',
  description: 'That of the call, or if there is none that of its callback. Bodies and headers are not shown.',
  tags,
  params: LetterParams,
  querystring: KindQuery,
  response: {
    200: jsonResponse('What is known of it.', Detail, {
      ...entryExample,
      kinds: ['call'],
      replays: 0,
      path: '/200x100',
      callbackUrl: 'https://example.com/done',
    }),
    400: invalid,
    404: missing,
    503: unavailable,
  },
};

const Replayed = Type.Object({ callId: Type.String(), status: Type.Literal('queued') });

export const replaySchema = {
  summary: 'Replay a dead letter',
  description:
    'Puts the call back, as it was accepted, into the queue that its function has now, with a fresh retry budget and ' +
    'the same call id. It will have a new result, and a callback of its own. A callback that was not delivered is ' +
    'sent again, without calling the function. Of a call id with both, the call goes, unless `kind` says otherwise. ' +
    'Safe to repeat: it is queued once.',
  tags,
  params: LetterParams,
  querystring: KindQuery,
  response: {
    202: jsonResponse(
      'It is on its way again.',
      Replayed,
      { callId: entryExample.callId, status: 'queued' },
      {
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        Location: { schema: Type.String(), description: 'Where the call can be asked for.' },
      },
    ),
    400: invalid,
    404: problemResponse('There is no such dead letter, or its function is not registered.', [
      'dead_letter_not_found',
      'unknown_function',
    ]),
    409: problemResponse('It cannot be replayed.', ['not_replayable', 'already_replayed', 'call_id_conflict']),
    503: problemResponse(
      'Nothing confirms that it is on its way. Nothing is lost: send it again.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};

export const removeSchema = {
  summary: 'Drop a dead letter',
  description: 'Drops all there is under the call id, or only what `kind` says.',
  tags,
  params: LetterParams,
  querystring: KindQuery,
  response: {
    204: Type.Null({ description: 'It is gone.' }),
    400: invalid,
    404: missing,
    503: unavailable,
  },
};

const BulkReplayed = Type.Object({
  replayed: Type.Integer(),
  skipped: Type.Integer({ description: 'Dead letters that were not replayed.' }),
  reasons: Type.Record(Type.String(), Type.Integer(), { description: 'How many were skipped for which reason.' }),
  cursor: Type.Optional(Type.String({ description: 'There may be more: go on with this.' })),
});

export const bulkReplaySchema = {
  summary: 'Replay many dead letters',
  description:
    'Replays the oldest `limit` of those that the filter names, as the replay of each would; without a filter, of all. ' +
    'What fails again meanwhile is left alone.',
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
