import { type Static, Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';

export const ErasedCallParams = Type.Object({
  callId: Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$', examples: ['0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11'] }),
});

export const ErasedCallQuery = Type.Object(
  {
    submitter: Type.Optional(
      Type.String({
        description:
          'Name of the token that the call was submitted with, empty for none. Default: your own call with this id, ' +
          'otherwise the newest.',
        pattern: '^([A-Za-z0-9._-]{1,63})?$',
        examples: ['partner-x'],
      }),
    ),
  },
  { additionalProperties: false },
);

export type ErasedCallParams = Static<typeof ErasedCallParams>;
export type ErasedCallQuery = Static<typeof ErasedCallQuery>;

export const eraseSchema = {
  summary: 'Erase a call',
  description:
    'Erases everything that is kept of an ended call: its result, its headers and labels, its attempts, its dead letters, and a ' +
    'callback that waits for its next delivery, which is then not sent. What remains is the fact that a call of this id ' +
    'has ended, until `RESULT_TTL` is over, and hashes of keys. Other calls of its chain are erased by their own ids.',
  tags: ['calls'],
  params: ErasedCallParams,
  querystring: ErasedCallQuery,
  response: {
    204: Type.Null({ description: 'Erased.' }),
    400: problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']),
    404: problemResponse('Nothing is kept of a call with this id.', ['call_not_found']),
    409: problemResponse('The call, a later step of its chain, or a delivery of its callback has not ended.', [
      'not_ended',
    ]),
    503: problemResponse(
      'The call may not be erased yet: send the request again.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};
