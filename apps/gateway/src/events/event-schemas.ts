import { Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';

/** Described for clients; `parseFunction` checks it, because its refusals say what would be right. */
export const eventsQuery = Type.Object(
  {
    function: Type.Optional(
      Type.String({
        description: '`NAME` or `NAME.NAMESPACE`: only the events of its calls. Default: all that the token may see.',
        pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
        examples: ['thumbnail'],
      }),
    ),
  },
  { additionalProperties: false },
);

const ended = {
  callId: '0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11',
  function: 'thumbnail',
  queue: 'default',
  status: 'succeeded',
  attempts: 1,
  maxRetries: 10,
  createdAt: '2026-01-31T12:00:00.000Z',
  startedAt: '2026-01-31T12:00:00.012Z',
  endedAt: '2026-01-31T12:00:01.217Z',
  durationMs: 1205,
  functionStatus: 200,
};

export const eventsSchema = {
  summary: 'Follow what happens to calls',
  description:
    'Server-sent events, until the client leaves or the gateway stops: `curl -N .../system/events`. Each is named after ' +
    'what has happened (`accepted`, `started`, `attempt`, `ended`, `callback`) and carries the state of the call as JSON, ' +
    '`started` and `attempt` also the attempt. Under load most events are left out, and `missed` says how many: ' +
    '`{"missed":312}`. If their number is not known, it is `null`, and `reason` says why. Events are not kept.',
  tags: ['operations'],
  querystring: eventsQuery,
  response: {
    200: {
      description: 'The events.',
      content: {
        'text/event-stream': {
          schema: Type.String({ description: 'Events, and comments that keep the connection alive.' }),
          example: `event: ended\ndata: ${JSON.stringify(ended)}\n\nevent: missed\ndata: {"missed":312}\n\n`,
        },
      },
    },
    400: problemResponse('`function` is not a name, or there is a parameter that does not exist.', [
      'invalid_parameter',
    ]),
    429: problemResponse(
      'The limit of event streams (25) or of waiting requests (`MAX_WAITERS_PER_TOKEN`) for this token is reached.',
      ['too_many_waiting'],
      retryAfterHeader,
    ),
    503: problemResponse(
      'The broker is unavailable, or the limit of event streams (100) or of waiting requests (`MAX_WAITERS`) is reached.',
      ['broker_unavailable', 'overloaded'],
      retryAfterHeader,
    ),
  },
};
