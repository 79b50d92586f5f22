import { Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';

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
    { description: 'What became of each item, in their order.' },
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
    413: problemResponse('The batch is larger than `MAX_BATCH_CALLS` or `MAX_BATCH_BYTES` allow. Nothing was stored.', [
      'too_many_calls',
      'body_too_large',
    ]),
    415: problemResponse('The batch is neither `application/json` nor `application/x-ndjson`.', [
      'unsupported_media_type',
    ]),
    422: problemResponse('The `Idempotency-Key` was used with another body.', ['idempotency_key_reused']),
    503: problemResponse('The calls could not be stored.', ['broker_unavailable', 'overloaded'], retryAfterHeader),
  },
};
