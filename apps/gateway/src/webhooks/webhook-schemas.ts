import { Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['webhooks'];

const params = Type.Object({
  name: Type.String({
    description: '`NAME` or `NAME.NAMESPACE` of a function with `webhook`. A sub-path and a query may follow.',
    examples: ['github'],
  }),
});

const wwwAuthenticate = {
  'WWW-Authenticate': { schema: Type.String(), description: 'Names no scheme that a client could use.' },
};

const refused = problemResponse(
  'The signature is missing, wrong or too old, the body is too large, or there is no such webhook: all with the same answer.',
  ['invalid_signature'],
  wwwAuthenticate,
);

const tooMany = problemResponse('The address has used up its rate limit.', ['rate_limited'], retryAfterHeader);

const text = Type.Unsafe<unknown>({ type: 'string' });

export const receiveSchema = {
  summary: 'Receive a webhook',
  description:
    'Without a token: the sender signs the body, as `webhook` of the function says (docs/webhooks.md). A verified delivery is ' +
    'stored as a call of the function, and answered once it is stored. The delivery id of the sender makes it one call, however ' +
    'often it is sent. Sub-path, query, body and headers reach the function; headers that steer calls, such as ' +
    '`X-Callback-Url` or `X-Delay`, are dropped.',
  tags,
  params,
  consumes: ['*/*'],
  body: Type.Unsafe<unknown>({ description: 'Any bytes, up to `maxBytes` of the webhook.' }),
  response: {
    '2xx': {
      description:
        'The call is stored, by this delivery or an earlier one: status and body as `webhook.answer` says, by default 200 ' +
        "without a body. Slack's `url_verification` gets its challenge, and makes no call.",
      headers: {
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        'Idempotency-Replayed': {
          schema: Type.Literal('true'),
          description: 'Present if an earlier delivery with the same id made the call.',
        },
      },
      content: { '*/*': { schema: text } },
    },
    401: refused,
    413: problemResponse('Body and headers together are too large for the queue.', ['body_too_large']),
    417: problemResponse('`Expect` contains something other than `100-continue`.', ['expectation_failed']),
    429: tooMany,
    503: problemResponse(
      'The call could not be stored now.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};

export const subscribeSchema = {
  summary: 'Confirm a webhook to Meta',
  description: "Returns the challenge of Meta's subscription request, if it has `verifyToken` of the webhook.",
  tags,
  params,
  querystring: Type.Object({
    'hub.mode': Type.Optional(Type.String({ examples: ['subscribe'] })),
    'hub.verify_token': Type.Optional(Type.String()),
    'hub.challenge': Type.Optional(Type.String({ examples: ['1158201444'] })),
  }),
  response: {
    200: { description: '`hub.challenge`', content: { 'text/plain': { schema: text } } },
    401: refused,
    429: tooMany,
  },
};
