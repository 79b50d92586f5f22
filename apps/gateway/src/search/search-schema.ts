import { callStatuses } from '@asyncfn/queue-core';
import { Type } from 'typebox';
import {
  crowdedResponse,
  functionParameter,
  jsonResponse,
  labelParameter,
  problemResponse,
  queueParameter,
  retryAfterHeader,
  timeParameters,
} from '../api/index.ts';
import { CallState, callExample } from '../calls/index.ts';

const callId = '^[A-Za-z0-9_-]{1,128}$';

/** Described for clients; `parseFilter` checks it, because its refusals say what would be right. */
export const searchQuery = Type.Object(
  {
    function: functionParameter,
    queue: queueParameter,
    status: Type.Optional(
      Type.Array(Type.Enum(callStatuses), {
        description: 'Repeat it for several: `status=failed&status=expired`.',
        examples: [['failed']],
      }),
    ),
    label: labelParameter,
    flowKey: Type.Optional(
      Type.String({ description: '`X-Flow-Key` of the calls, of any function and token.', pattern: '^[!-~]{1,128}$' }),
    ),
    parent: Type.Optional(Type.String({ description: 'Id of the call that it follows.', pattern: callId })),
    batch: Type.Optional(Type.String({ description: 'Id of its batch.', pattern: callId })),
    ...timeParameters,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 100.' })),
    cursor: Type.Optional(
      Type.String({ description: '`cursor` of the previous page, which had the same filters.', maxLength: 512 }),
    ),
  },
  { additionalProperties: false },
);

export const searchSchema = {
  summary: 'List and search calls',
  description:
    'The calls that have not ended, and those that have ended within `RESULT_TTL`, newest first by `createdAt`. All filters ' +
    'that are given must match. Cursors stay valid while calls arrive and end: over the pages no call comes twice, and none ' +
    'is left out. A page may have fewer than `limit` calls: only an answer without `cursor` is the last. `complete` is false ' +
    'if the search was cut after two seconds or 4 MiB of calls, and `cursor` goes on with it; without `cursor`, there are ' +
    'too many calls, and the oldest are left out. A token that is limited to functions sees the calls of these alone.',
  tags: ['calls'],
  querystring: searchQuery,
  response: {
    200: jsonResponse(
      'A page of calls.',
      Type.Object({
        calls: Type.Array(CallState),
        cursor: Type.Optional(Type.String({ description: 'Where the next page begins.' })),
        complete: Type.Boolean({ description: 'Whether the page has all calls that belong on it.' }),
      }),
      { calls: [callExample], cursor: 'MS5xN3Z0', complete: true },
    ),
    400: problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']),
    429: crowdedResponse(),
    503: problemResponse(
      'The broker is unavailable, or too many lists wait.',
      ['broker_unavailable', 'overloaded'],
      retryAfterHeader,
    ),
  },
};
