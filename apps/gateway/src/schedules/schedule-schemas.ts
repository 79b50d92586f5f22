import { type Static, Type } from 'typebox';
import { jsonResponse, problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['schedules'];

const ScheduleParams = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$', examples: ['nightly'] }),
});

export type ScheduleParams = Static<typeof ScheduleParams>;

const optional = (type: string, description: string) => Type.Optional(Type.Unknown({ type, description }));

/** As in a functions file, whose checks apply, not this schema. */
const settings = {
  function: Type.Unknown({ type: 'string', description: 'The function to call: `NAME` or `NAME.NAMESPACE`.' }),
  path: optional('string', 'Sub-path and query of its calls, such as `/daily?full=1`.'),
  headers: Type.Optional(
    Type.Unknown({
      type: 'object',
      additionalProperties: true,
      description:
        'Headers of its calls: texts, or lists of them. Headers for the gateway mean what they mean for a single call, but for ' +
        '`X-Call-Id`, `Idempotency-Key`, `X-Delay` and `X-Not-Before`, which are refused.',
    }),
  ),
  body: optional('string', 'The body as text. At most one of `body`, `bodyBase64` and `json`.'),
  bodyBase64: optional('string', 'The body in base64.'),
  json: Type.Optional(Type.Unknown({ description: 'The body as a JSON value, sent as `application/json`.' })),
  cron: optional(
    'string',
    'Five fields (minute, hour, day of month, month, day of week), or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. Exactly one of `cron` and `every`.',
  ),
  every: optional('string', 'A duration from `1s`, counted from the creation of the schedule.'),
  timeZone: optional(
    'string',
    'Of `cron`: a name of the IANA database. Default `UTC`. It changes nothing about `every`.',
  ),
  overlap: optional(
    'string',
    'If its last call has not ended: `allow` (default) makes another one, `skip` makes none, `queue` makes one when it has ended.',
  ),
  catchUp: optional(
    'string',
    'Of moments that are missed (more than 5 s late): `none`, the `latest` (default), or `all` are made up for.',
  ),
  catchUpWindow: optional(
    'string',
    'Moments that are later than this are not made up for. Default `1h`, at most `7d`.',
  ),
  jitter: optional('string', 'Each call comes up to this much after its moment. At most `24h`.'),
};

const paused = { description: 'Whether it makes no calls. If a request leaves it out, it stays as it is.' };

const state = {
  name: Type.Unknown({ type: 'string' }),
  source: Type.Unknown({ description: 'Whose settings these are: `api` (this API), or `file` (a functions file).' }),
  createdAt: Type.Unknown({ type: 'string', format: 'date-time' }),
  paused: Type.Unknown({ type: 'boolean', ...paused }),
  next: Type.Array(Type.String({ format: 'date-time' }), {
    description: 'The next five moments (RFC 3339); none while it is paused.',
  }),
};

/** Allows further properties, so that settings of a later version are shown as well. */
const ScheduleView = Type.Object({ ...state, ...settings }, { additionalProperties: true });
const last = Type.Array(Type.Object({ at: Type.String({ format: 'date-time' }), callId: Type.String() }), {
  description: 'Its last calls, newest first: `{at,callId}`, ten at most.',
});
const FullView = Type.Object({ ...state, ...settings, last }, { additionalProperties: true });

const settingsExample = { function: 'report', cron: '0 3 * * *', timeZone: 'Europe/Berlin', json: { full: true } };
const listedExample = {
  name: 'nightly',
  source: 'api',
  createdAt: '2026-11-30T08:00:00.000Z',
  overlap: 'allow',
  catchUp: 'latest',
  catchUpWindow: '1h',
  ...settingsExample,
  paused: false,
  next: ['2026-12-01T02:00:00.000Z', '2026-12-02T02:00:00.000Z'],
};
const example = {
  ...listedExample,
  last: [{ at: '2026-11-30T02:00:00.000Z', callId: '4f1b8f2e-5d0a-8a51-9d0a-0d9f1f6f2b11' }],
};

const invalid = problemResponse('The name is not valid.', ['invalid_parameter']);
const missing = problemResponse('No schedule has this name.', ['unknown_schedule']);
const unavailable = problemResponse(
  'The broker is unavailable, or the schedule is being changed by others.',
  ['broker_unavailable', 'overloaded'],
  retryAfterHeader,
);

export const listSchedulesSchema = {
  summary: 'List the schedules',
  description: 'All schedules, by name, without their last calls.',
  tags,
  response: {
    200: jsonResponse('The schedules.', Type.Object({ schedules: Type.Array(ScheduleView) }), {
      schedules: [listedExample],
    }),
    503: unavailable,
  },
};

export const showScheduleSchema = {
  summary: 'Show a schedule',
  tags,
  params: ScheduleParams,
  response: { 200: jsonResponse('The schedule.', FullView, example), 400: invalid, 404: missing, 503: unavailable },
};

export const putScheduleSchema = {
  summary: 'Store a schedule, or change it',
  description:
    'Replaces all settings. A change of `cron`, `every` or `timeZone` begins with the first moment after it; any other change ' +
    'leaves the moments as they are. `name`, `source`, `createdAt`, `next` and `last` are ignored, so that you can write back ' +
    'what you read. The settings override those of a functions file until they are deleted.',
  tags,
  params: ScheduleParams,
  consumes: ['application/json'],
  body: Type.Object(
    { ...settings, paused: Type.Optional(Type.Unknown({ type: 'boolean', ...paused })) },
    {
      examples: [settingsExample],
    },
  ),
  response: {
    200: jsonResponse('The schedule was changed, or was the same before.', FullView, example),
    201: jsonResponse('The schedule is new.', FullView, example),
    400: problemResponse('The name, a setting or a header is not valid; `detail` names each.', [
      'invalid_parameter',
      'invalid_schedule',
    ]),
    404: problemResponse('The function is not registered.', ['unknown_function']),
    413: problemResponse('The body is too large.', ['body_too_large']),
    503: problemResponse(
      'The broker is unavailable, the schedule is being changed by others, or there are as many schedules as there may be.',
      ['broker_unavailable', 'overloaded', 'too_many_schedules'],
      retryAfterHeader,
    ),
  },
};

export const removeScheduleSchema = {
  summary: 'Remove a schedule',
  description:
    'Calls that it has made are not affected. If a functions file names the schedule as well, its settings are in force again. A ' +
    'schedule of a file alone is stored again when a gateway with such a file starts.',
  tags,
  params: ScheduleParams,
  response: {
    204: Type.Null({ description: 'Removed, or as the functions file has it.' }),
    400: invalid,
    404: missing,
    503: unavailable,
  },
};

const changing = { tags, params: ScheduleParams };
const answers = { 400: invalid, 404: missing, 503: unavailable };

export const pauseScheduleSchema = {
  ...changing,
  summary: 'Pause a schedule',
  description: 'It makes no calls until it is resumed. Moments in the meantime are not made up for. Safe to repeat.',
  response: { 200: jsonResponse('It is paused.', FullView, { ...example, paused: true, next: [] }), ...answers },
};

export const resumeScheduleSchema = {
  ...changing,
  summary: 'Resume a schedule',
  description: 'It goes on with the first moment from now. Safe to repeat.',
  response: { 200: jsonResponse('It is not paused.', FullView, example), ...answers },
};

export const triggerSchema = {
  ...changing,
  summary: 'Call the function of a schedule now',
  description:
    'Makes one call, besides those of its moments, even if the schedule is paused or another call of it has not ended. ' +
    '`X-Scheduled-At` is the time of the request.',
  response: {
    202: jsonResponse(
      'The call is stored.',
      Type.Object({ callId: Type.String(), function: Type.String(), status: Type.String() }),
      { callId: '0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11', function: 'report', status: 'queued' },
    ),
    400: invalid,
    404: problemResponse('No schedule has this name, or its function is not registered.', [
      'unknown_schedule',
      'unknown_function',
    ]),
    429: problemResponse('Too many calls of the function are waiting.', ['too_many_pending'], retryAfterHeader),
    503: problemResponse('The call could not be stored.', ['broker_unavailable', 'queue_full'], retryAfterHeader),
  },
};
