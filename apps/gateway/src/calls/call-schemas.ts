import { type Static, Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['calls'];
const callId = '0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11';

export const CallParams = Type.Object({ callId: Type.String({ examples: [callId] }) });

const submitter = Type.Optional(
  Type.String({
    description:
      'Name of the token that the call was submitted with, empty for none. Default: your own call of this id, else the ' +
      'newest that you may see. Two tokens may use the same id.',
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
        description: 'Answer only when the call has ended or this time is up, `5m` at most.',
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

const CallState = Type.Object({
  callId: Type.String(),
  submitter: Type.Optional(Type.String({ description: 'Name of the token that it was submitted with.' })),
  function: Type.String(),
  queue: Type.String(),
  status: Type.Enum(['scheduled', 'queued', 'running', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired']),
  attempts: Type.Integer({ description: 'Attempts begun.' }),
  maxRetries: Type.Integer({ description: 'Retries that it may have after the first attempt.' }),
  createdAt: Type.String({ format: 'date-time', description: 'When it was accepted.' }),
  notBefore: time('When it is put on the queue, for the first time or for a retry.'),
  startedAt: time('When its first attempt began.'),
  endedAt: time('When it ended.'),
  durationMs: Type.Optional(Type.Integer({ description: 'Of the last attempt.' })),
  functionStatus: Type.Optional(
    Type.Integer({
      description:
        "The function's last status; 503 if it gave no answer, 504 after its deadline, 502 if its answer was not HTTP or too large.",
    }),
  ),
  redirectedTo: Type.Optional(
    Type.String({
      description:
        'The function answered with a redirect (301 to 308, not 304), which is the result and was not followed: its `Location` as sent, without query and userinfo.',
    }),
  ),
  reason: Type.Optional(Type.String({ description: 'Why it ended as it did, unless it succeeded.' })),
  replays: Type.Optional(Type.Integer({ description: 'How often it was put back from the dead letters.' })),
  parentId: Type.Optional(
    Type.String({ description: 'The call that it follows, whose callback or function has made it.' }),
  ),
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

const succeeded = {
  ...running,
  status: 'succeeded',
  endedAt: '2026-01-31T12:00:41.377Z',
  durationMs: 1205,
  functionStatus: 200,
  callback: { ...running.callback, status: 'delivered', attempts: 1 },
};

const examples = { running: { value: running }, succeeded: { value: succeeded } };

const unknown = problemResponse('No call of this id is known, or it ended longer ago than `RESULT_TTL`.', [
  'call_not_found',
]);

export const stateSchema = {
  summary: 'Ask for the state of a call',
  description:
    'Answers at once, or with `wait` as soon as the call has ended. With `Accept: text/event-stream` each change of the ' +
    'state is an event, until the end: `curl -N -H "Accept: text/event-stream" .../async-function/CALL-ID`.',
  tags,
  params: CallParams,
  querystring: WaitQuery,
  response: {
    200: {
      description: 'Its state.',
      content: {
        'application/json': { schema: CallState, examples },
        'text/event-stream': {
          schema: Type.String({
            description: 'Events named `state`, each with the state as JSON.',
            examples: [`event: state\ndata: ${JSON.stringify(succeeded)}\n\n`],
          }),
        },
      },
    },
    400: problemResponse('`wait` is not a duration of up to `5m`.', ['invalid_parameter']),
    404: unknown,
    429: problemResponse(
      'As many requests with this token wait as may (`MAX_WAITERS_PER_TOKEN`).',
      ['too_many_waiting'],
      retryAfterHeader,
    ),
    503: problemResponse(
      'The broker is away, or as many requests wait as may (`MAX_WAITERS`).',
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
    'A call that waits, for its turn, its time or a retry, is taken out of its queue; the request of one that runs is ' +
    'aborted. No callback is sent, and there is no dead letter. If the call ends in the same moment, exactly one of the ' +
    'two counts, and the answer says which.',
  tags,
  params: CallParams,
  querystring: SubmitterQuery,
  response: {
    202: {
      description: 'It is cancelled: no attempt begins after this answer.',
      content: { 'application/json': { schema: CallState, example: cancelled } },
    },
    404: unknown,
    409: problemResponse('It had ended before; `call` says how.', ['already_ended']),
    503: problemResponse(
      'Nothing confirms that it is cancelled: send the request again.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};

export const resultSchema = {
  summary: 'Fetch the result of a call',
  description:
    "The function's own response: its body, its `Content-Type` and what else describes the body, and its own headers " +
    '(`X-...`, `Ce-...`). Headers that browsers, caches or proxies heed are ours.',
  tags,
  params: CallParams,
  querystring: SubmitterQuery,
  response: {
    200: {
      description: 'The response. It is 200 whatever the function said.',
      headers: {
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        'X-Function-Status': {
          schema: Type.Integer(),
          description: "The function's status; 503 where it could not be reached, 504 at its deadline.",
        },
      },
      content: { '*/*': { schema: Type.Unsafe<unknown>({ description: 'Any bytes.' }) } },
    },
    404: unknown,
    409: problemResponse('The call has not ended yet; `call` is its state.', ['not_ended']),
    410: problemResponse(
      'There is no response to give out; `reason` says why: `too_large`, `not_kept` (`RESULT_TTL` is 0), ' +
        '`not_recorded`, `cancelled` or `expired`.',
      ['result_gone'],
    ),
    503: problemResponse(
      'The broker is away, or the results that are being sent to clients take as much memory as they may.',
      ['broker_unavailable', 'overloaded'],
      retryAfterHeader,
    ),
  },
};
