import { type Static, Type } from 'typebox';
import { crowdedResponse, problemResponse, retryAfterHeader } from '../api/index.ts';
import { attemptsResponse } from './attempt-schema.ts';

const tags = ['calls'];
const callId = '0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11';

export const CallParams = Type.Object({ callId: Type.String({ examples: [callId] }) });

const submitter = Type.Optional(
  Type.String({
    description:
      'Name of the token that the call was submitted with, empty for none. Default: your own call with this id, otherwise ' +
      'the newest that you may see. Two tokens may use the same id.',
    pattern: '^([A-Za-z0-9._-]{1,63})?$',
    examples: ['partner-x'],
  }),
);

export const SubmitterQuery = Type.Object({ submitter });

export const WaitQuery = Type.Object(
  {
    submitter,
    wait: Type.Optional(
      Type.String({
        description: 'Wait for the end of the call, at most this long (`5m` at most).',
        examples: ['30s'],
      }),
    ),
  },
  { additionalProperties: false },
);

export type CallParams = Static<typeof CallParams>;
export type SubmitterQuery = Static<typeof SubmitterQuery>;
export type WaitQuery = Static<typeof WaitQuery>;

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

export const CallState = Type.Object({
  callId: Type.String(),
  submitter: Type.Optional(Type.String({ description: 'Name of the token that the call was submitted with.' })),
  function: Type.String(),
  queue: Type.String(),
  status: Type.Enum(['scheduled', 'queued', 'running', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired']),
  waitingFor: Type.Optional(
    Type.Enum(['flow', 'rate'], {
      description:
        'What a queued call waits for besides a worker: `flow` is the turn of its flow key, `rate` the rate of its key or its function.',
    }),
  ),
  attempts: Type.Integer({ description: 'Attempts started.' }),
  maxRetries: Type.Integer({ description: 'Retries allowed after the first attempt.' }),
  createdAt: Type.String({ format: 'date-time', description: 'When the call was accepted.' }),
  notBefore: time('When the call enters the queue, for the first time or for a retry.'),
  startedAt: time('When its first attempt started.'),
  endedAt: time('When the call ended.'),
  durationMs: Type.Optional(Type.Integer({ description: 'Duration of the last attempt.' })),
  functionStatus: Type.Optional(
    Type.Integer({
      description:
        "The function's last status; 503 if it did not answer, 504 after its deadline, 502 if its answer was not HTTP or too large.",
    }),
  ),
  redirectedTo: Type.Optional(
    Type.String({
      description:
        'The `Location` of a redirect (301 to 308, not 304) as sent, without query and userinfo. The redirect is the result and was not followed.',
    }),
  ),
  reason: Type.Optional(Type.String({ description: 'Why the call did not succeed.' })),
  replays: Type.Optional(Type.Integer({ description: 'How often the call was replayed from the dead letters.' })),
  labels: Type.Optional(
    Type.Array(Type.String(), { description: '`X-Label` of the call.', examples: [['customer=7', 'nightly']] }),
  ),
  flowKey: Type.Optional(Type.String({ description: '`X-Flow-Key` of the call.', examples: ['order-7'] })),
  parentId: Type.Optional(
    Type.String({ description: 'The call that this one follows: its callback or its function made this call.' }),
  ),
  rootId: Type.Optional(Type.String({ description: 'The first call of its chain. That call itself has none.' })),
  batchId: Type.Optional(Type.String({ description: 'The batch that the call was sent with.' })),
  then: Type.Optional(
    Type.Array(Type.String(), { description: 'The steps of its chain that follow it.', examples: [['flip']] }),
  ),
  next: Type.Optional(Type.String({ description: 'The call that follows it in its chain.' })),
  callback: Type.Optional(
    Type.Object({
      url: Type.String({ description: 'Without query and userinfo.' }),
      status: Type.Enum(['pending', 'delivered', 'failed']),
      attempts: Type.Integer(),
    }),
  ),
});

const running = {
  callId,
  function: 'thumbnail',
  queue: 'default',
  status: 'running',
  attempts: 2,
  maxRetries: 10,
  createdAt: '2026-01-31T12:00:00.000Z',
  startedAt: '2026-01-31T12:00:00.012Z',
  callback: { url: 'https://example.com/done', status: 'pending', attempts: 0 },
};

/** A call that has ended. */
export const callExample = {
  ...running,
  status: 'succeeded',
  endedAt: '2026-01-31T12:00:41.377Z',
  durationMs: 1205,
  functionStatus: 200,
  callback: { ...running.callback, status: 'delivered', attempts: 1 },
};

const examples = { running: { value: running }, succeeded: { value: callExample } };

const unknown = problemResponse('No call with this id is known, or it ended longer ago than `RESULT_TTL`.', [
  'call_not_found',
]);

export const stateSchema = {
  summary: 'Read the state of a call',
  description:
    'Answers at once, or with `wait` as soon as the call has ended. With `Accept: text/event-stream`, each change of the ' +
    'state is an event, until the end: `curl -N -H "Accept: text/event-stream" .../async-function/CALL-ID`.',
  tags,
  params: CallParams,
  querystring: WaitQuery,
  response: {
    200: {
      description: 'The state of the call.',
      content: {
        'application/json': { schema: CallState, examples },
        'text/event-stream': {
          schema: Type.String({
            description: 'Events named `state`, each with the state as JSON.',
            examples: [`event: state\ndata: ${JSON.stringify(callExample)}\n\n`],
          }),
        },
      },
    },
    400: problemResponse('`wait` is not a duration of up to `5m`.', ['invalid_parameter']),
    404: unknown,
    429: problemResponse(
      'The limit of waiting requests for this token is reached (`MAX_WAITERS_PER_TOKEN`), or that of waiting look-ups.',
      ['too_many_waiting'],
      retryAfterHeader,
    ),
    503: problemResponse(
      'The broker is unavailable, or the limit of waiting requests is reached (`MAX_WAITERS`).',
      ['broker_unavailable', 'overloaded'],
      retryAfterHeader,
    ),
  },
};

const { callback: _, ...withoutCallback } = running;
const cancelled = { ...withoutCallback, status: 'cancelled', endedAt: '2026-01-31T12:00:07.240Z' };

export const cancelSchema = {
  summary: 'Cancel a call',
  description:
    'Removes a waiting call from its queue, or aborts the request of a running one. A cancelled call has no callback and ' +
    'no dead letter. If the call ends at the same moment, exactly one of the two counts, and the answer says which. If the ' +
    'call has ended and its chain has not, the step that is open is cancelled, and the answer is the state of that step.',
  tags,
  params: CallParams,
  querystring: SubmitterQuery,
  response: {
    202: {
      description: 'The call is cancelled: no attempt starts after this answer.',
      content: { 'application/json': { schema: CallState, example: cancelled } },
    },
    404: unknown,
    409: problemResponse('The call had already ended; `call` says how.', ['already_ended']),
    429: crowdedResponse(),
    503: problemResponse(
      'The cancellation is not confirmed: send the request again.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};

export const attemptsSchema = {
  summary: 'List the attempts of a call',
  description:
    'When each began, how long it took, the status or the error, what was decided, and which worker made it. After a ' +
    'replay, those since then.',
  tags,
  params: CallParams,
  querystring: SubmitterQuery,
  response: {
    200: attemptsResponse,
    404: unknown,
    429: crowdedResponse(),
    503: problemResponse('The broker is unavailable.', ['broker_unavailable'], retryAfterHeader),
  },
};

const bytes = { '*/*': { schema: Type.Unsafe<unknown>({ description: 'Any bytes.' }) } };

export const resultSchema = {
  summary: 'Fetch the result of a call',
  description:
    "The function's own response: its body, `Content-Type` and other headers that describe the body, and custom headers " +
    '(`X-...`, `Ce-...`). Headers that instruct browsers, caches or proxies are set by the gateway. `Range`, `If-Range` and ' +
    '`If-None-Match` count.',
  tags,
  params: CallParams,
  querystring: SubmitterQuery,
  response: {
    200: {
      description: 'The response. The status is 200, whatever the status of the function.',
      headers: {
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        'X-Function-Status': {
          schema: Type.Integer(),
          description: "The function's status; 503 if it could not be reached, 504 at its deadline.",
        },
        ETag: { schema: Type.String(), description: "The function's own, or one that stands for the bytes." },
        'Repr-Digest': { schema: Type.String(), description: 'SHA-256 of the whole body (RFC 9530).' },
      },
      content: bytes,
    },
    206: { description: 'The range of the body that was asked for; `Content-Range` says which.', content: bytes },
    304: { description: 'The client has it: `If-None-Match` names its `ETag`.' },
    404: unknown,
    409: problemResponse('The call has not ended yet; `call` is its state.', ['not_ended']),
    410: problemResponse(
      'The response is not available; `reason` says why: `too_large`, `not_kept` (`RESULT_TTL` is 0), ' +
        '`not_recorded`, `cancelled` or `expired`.',
      ['result_gone'],
    ),
    416: problemResponse('The body has no byte of the range; `Content-Range` says how many it has.', [
      'range_not_satisfiable',
    ]),
    429: crowdedResponse(),
    503: problemResponse(
      'The broker is unavailable, or the results that are being sent to clients use all of their memory budget.',
      ['broker_unavailable', 'overloaded'],
      retryAfterHeader,
    ),
  },
};
