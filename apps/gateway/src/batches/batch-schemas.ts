import { type Static, Type } from 'typebox';
import { crowdedResponse, problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['batches'];
const batchId = '0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11';

const BatchAnswer = Type.Object({
  batchId: Type.String({ examples: [batchId] }),
  accepted: Type.Integer(),
  refused: Type.Integer(),
  calls: Type.Array(
    Type.Object({
      callId: Type.Optional(Type.String()),
      status: Type.Enum(['queued', 'scheduled', 'refused']),
      problem: Type.Optional(Type.Unsafe<unknown>({ type: 'object', additionalProperties: true })),
    }),
    { description: 'The answer for each item, in order.' },
  ),
});

/** The description of a batch. It validates nothing: items are checked one by one. */
export const acceptSchema = {
  summary: 'Call functions many times with one request',
  description:
    'Stores the calls and answers 202 with an answer for each item, in their order. `application/json` is ' +
    '`{"calls":[...],"callbackUrl":"...","failureCallbackUrl":"..."}`, `application/x-ndjson` has a call in each line, ' +
    'with `X-Callback-Url` and `X-Failure-Callback-Url` as headers. A call is `{"function","path","headers"}` and one of ' +
    '`body` (text), `bodyBase64`, `json`. When the last call has ended, the callback URL gets the counts. ' +
    '`Idempotency-Key` covers the whole batch. If no call is accepted, the answer is the problem of the first item.',
  tags,
  response: {
    202: BatchAnswer,
    400: problemResponse('The batch, or its first item if none is accepted, is not valid.', [
      'invalid_batch',
      'invalid_batch_item',
    ]),
    404: problemResponse('No item is accepted, and the function of the first one is not registered.', [
      'unknown_function',
    ]),
    413: problemResponse(
      'The batch is larger than `MAX_BATCH_CALLS` or `MAX_BATCH_BYTES` allow. Nothing was stored. Of lines, those that fit are ' +
        'accepted, and those beyond are refused.',
      ['too_many_calls', 'body_too_large'],
    ),
    415: problemResponse('The batch is neither `application/json` nor `application/x-ndjson`.', [
      'unsupported_media_type',
    ]),
    422: problemResponse('The `Idempotency-Key` was used with another body.', ['idempotency_key_reused']),
    508: problemResponse('The calls would be more than 32 hops from the first of their chain.', ['chain_too_deep']),
    503: problemResponse('The calls could not be stored.', ['broker_unavailable', 'overloaded'], retryAfterHeader),
  },
};

export const BatchParams = Type.Object({ batchId: Type.String({ examples: [batchId] }) });

export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.String({
        description: 'Wait for the end of the batch, at most this long (`5m` at most).',
        examples: ['30s'],
      }),
    ),
  },
  { additionalProperties: false },
);

export const ResultsQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ description: '`X-Next-Cursor` of the page before.', pattern: '^[0-9]{1,6}$', examples: ['1000'] }),
    ),
    limit: Type.Optional(
      Type.Integer({ description: 'Most lines of the page.', minimum: 1, maximum: 10_000, default: 1_000 }),
    ),
  },
  { additionalProperties: false },
);

export type BatchParams = Static<typeof BatchParams>;
export type WaitQuery = Static<typeof WaitQuery>;
export type ResultsQuery = Static<typeof ResultsQuery>;

const BatchStateView = Type.Object({
  batchId: Type.String({ examples: [batchId] }),
  total: Type.Integer({ description: 'Accepted calls.' }),
  open: Type.Integer({ description: 'Those that have not ended.' }),
  succeeded: Type.Integer(),
  failed: Type.Integer(),
  cancelled: Type.Integer(),
  expired: Type.Integer(),
  createdAt: Type.String({ format: 'date-time' }),
  endedAt: Type.Optional(Type.String({ format: 'date-time' })),
});

const unknown = problemResponse('No batch with this id is known, or it ended longer ago than `RESULT_TTL`.', [
  'batch_not_found',
]);
const away = problemResponse('The queue cannot be reached.', ['broker_unavailable'], retryAfterHeader);

export const stateSchema = {
  summary: 'The state of a batch',
  description:
    'How many calls of the batch have ended, and how. With `wait`, answers once the batch has ended or the time is up; with ' +
    '`Accept: text/event-stream`, sends each state as an event until the end.',
  tags,
  params: BatchParams,
  querystring: WaitQuery,
  response: {
    200: {
      description: 'The state.',
      content: {
        'application/json': { schema: BatchStateView },
        'text/event-stream': { schema: Type.String({ description: 'Events of the type `state`.' }) },
      },
    },
    400: problemResponse('`wait` is not a duration of up to `5m`.', ['invalid_parameter']),
    404: unknown,
    429: crowdedResponse(),
    503: away,
  },
};

export const cancelSchema = {
  summary: 'Cancel the open calls of a batch',
  description: 'Cancels each call that has not ended. The batch then ends, and its callback comes.',
  tags,
  params: BatchParams,
  response: {
    202: {
      description: 'All calls that were open are cancelled, or have ended in the meantime.',
      content: { 'application/json': { schema: BatchStateView } },
    },
    403: problemResponse('The token may read the batch, but not cancel it.', ['forbidden']),
    404: unknown,
    409: problemResponse('The batch had ended; `batch` says how.', ['already_ended']),
    503: away,
  },
};

export const resultsSchema = {
  summary: 'The results of a batch',
  description:
    'A line for each accepted call, in order: `{index,callId,function,status,functionStatus,contentType}` and `body`, ' +
    'or `bodyBase64` if it is not UTF-8, or `bodyUrl` and `bodyBytes` if it is stored apart, because it is large. `X-Next-Cursor` is there if more lines follow.',
  tags,
  params: BatchParams,
  querystring: ResultsQuery,
  response: {
    200: {
      description: 'The page.',
      headers: { 'X-Next-Cursor': { schema: Type.String(), description: 'Send it as `cursor` for the next page.' } },
      content: { 'application/x-ndjson': { schema: Type.String({ description: 'Lines of JSON.' }) } },
    },
    400: problemResponse('`cursor` or `limit` is not valid.', ['invalid_parameter']),
    404: unknown,
    503: problemResponse(
      'The queue cannot be reached, or the gateway is sending too many results.',
      ['broker_unavailable', 'overloaded'],
      retryAfterHeader,
    ),
  },
};
