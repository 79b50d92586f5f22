import { type Static, Type } from 'typebox';
import { jsonResponse, problemResponse, retryAfterHeader } from '../api/index.ts';

const tags = ['functions'];

export const FunctionParams = Type.Object({
  name: Type.String({
    description: '`NAME` or `NAME.NAMESPACE`',
    pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
    examples: ['thumbnail'],
  }),
});

export type FunctionParams = Static<typeof FunctionParams>;

export const RemovalQuery = Type.Object(
  { purge: Type.Optional(Type.Boolean({ description: 'Cancel the waiting calls, then remove the function.' })) },
  { additionalProperties: false },
);

export type RemovalQuery = Static<typeof RemovalQuery>;

/** As in a functions file. The schema of the functions file validates the values, not this one. */
const settings = {
  url: Type.Optional(
    Type.Unknown({
      type: 'string',
      description:
        'URL of the function; sub-path and query are appended. Required unless `defaults` of a functions file has one.',
    }),
  ),
  queue: Type.Optional(Type.Unknown({ type: 'string', description: 'The queue of its calls. Default `default`.' })),
  timeout: Type.Optional(Type.Unknown({ description: 'Deadline of one attempt, such as `15m`. Default `0`: none.' })),
  concurrency: Type.Optional(
    Type.Unknown({ description: 'Maximum number of calls in flight at once, over all workers. Default: no cap.' }),
  ),
  rate: Type.Optional(
    Type.Unknown({
      type: 'string',
      description:
        'Maximum number of attempts in any window of a length, over all workers: `50/1s`, `10/1m`. Further calls wait. Default: no limit.',
    }),
  ),
  maxPending: Type.Optional(
    Type.Unknown({ description: 'Maximum number of waiting calls; further calls get 429. Default: no limit.' }),
  ),
  flow: Type.Optional(
    Type.Unknown({
      description:
        'What holds for each `X-Flow-Key`: `{ parallelism, rate }`, the maximum number of its calls at once, 1 to 1000, and in any ' +
        'window of a length, such as `10/1m`.',
    }),
  ),
  adaptive: Type.Optional(
    Type.Unknown({
      type: 'boolean',
      description: 'Whether workers learn how many calls at once the function takes. Default: true.',
    }),
  ),
  callbackUrl: Type.Optional(
    Type.Unknown({ type: 'string', description: '`X-Callback-Url` of calls without one. No user and password.' }),
  ),
  failureCallbackUrl: Type.Optional(
    Type.Unknown({
      type: 'string',
      description: '`X-Failure-Callback-Url` of calls without one. No user and password.',
    }),
  ),
  then: Type.Optional(
    Type.Unknown({
      type: 'array',
      description: '`X-Then` of calls without one: a list of at most 16 steps, each of a registered function.',
    }),
  ),
  webhook: Type.Optional(
    Type.Unknown({
      description:
        'Lets a partner send signed webhooks to `/webhook/NAME`: `verify`, `secretFiles` and more, see docs/webhooks.md. ' +
        '`secretFiles` are below `WEBHOOK_SECRETS_DIR`. `verifyToken` is not shown, and kept if a request omits it.',
    }),
  ),
  retry: Type.Optional(
    Type.Unknown({ description: '`attempts`, `minWait`, `maxWait`, `backoff` and `codes`, each optional.' }),
  ),
};

const state = {
  name: Type.Unknown({ type: 'string' }),
  source: Type.Unknown({ description: 'Whose settings these are: `api` (this API), or `file` (a functions file).' }),
  paused: Type.Unknown({ description: 'If true, its calls are accepted and wait until the function is resumed.' }),
  discovered: Type.Optional(
    Type.Unknown({
      description:
        'Present if the function was found at an OpenFaaS. With `absent: true`, that no longer has it, and the function is ' +
        'paused until it has it again, whatever operators have set.',
    }),
  ),
  defaultNamespace: Type.Optional(
    Type.Unknown({
      type: 'string',
      description:
        'The namespace that may be omitted from its name: `NAME` and `NAME.NAMESPACE` are the same function.',
    }),
  ),
};

/** Allows further properties, so that settings of a later version are shown as well. */
const FunctionView = Type.Object({ ...state, ...settings }, { additionalProperties: true });

const settingsExample = {
  url: 'http://thumbnail:8080',
  queue: 'images',
  timeout: '15m',
  concurrency: 50,
  retry: { attempts: 10, minWait: '10s', maxWait: '2m', backoff: 'full', codes: [429, 503] },
};

const viewExample = { name: 'thumbnail', source: 'api', paused: false, ...settingsExample };

const etag = {
  ETag: { schema: Type.String(), description: 'For `If-Match`. It changes with every change of the function.' },
};

const preconditions = Type.Object({
  'If-Match': Type.Optional(
    Type.String({ description: '`*` or the `ETag` that the function must still have.', examples: ['"42"'] }),
  ),
  'If-None-Match': Type.Optional(
    Type.String({ description: '`*`: only if the function does not exist yet.', examples: ['*'] }),
  ),
});

const invalid = problemResponse('A parameter is not valid; `detail` names it.', ['invalid_parameter']);
const missing = problemResponse('No function of this name is registered.', ['unknown_function']);
const changed = problemResponse('The function is not in the state that the request expects.', ['precondition_failed']);
const unavailable = problemResponse(
  'The broker is unavailable, or the function is being changed by others.',
  ['broker_unavailable', 'overloaded'],
  retryAfterHeader,
);

export const listFunctionsSchema = {
  summary: 'List the functions',
  description: 'All registered functions, by name. Credentials in a URL are not shown.',
  tags,
  response: {
    200: jsonResponse('The functions.', Type.Object({ functions: Type.Array(FunctionView) }), {
      functions: [viewExample],
    }),
  },
};

export const showFunctionSchema = {
  summary: 'Show a function',
  tags,
  params: FunctionParams,
  response: { 200: jsonResponse('The function.', FunctionView, viewExample, etag), 400: invalid, 404: missing },
};

export const putFunctionSchema = {
  summary: 'Register a function, or change it',
  description:
    'Accepts the settings of a functions file and replaces all of them; missing ones are filled in from `defaults` of the ' +
    'functions file. Live in every gateway and worker within 2 s. User and password in `url` are sent to the function as ' +
    'HTTP basic and never shown; a `url` of the same origin without them keeps them, and an empty user, `http://@host`, ' +
    'removes them. `name`, `source`, `paused`, `defaultNamespace` and `discovered` are ignored, so that you can write back what you ' +
    'read. The settings override those of a functions file until they are deleted.',
  tags,
  params: FunctionParams,
  headers: preconditions,
  consumes: ['application/json'],
  body: Type.Object(settings, { examples: [settingsExample] }),
  response: {
    200: jsonResponse('The function was changed.', FunctionView, viewExample, etag),
    201: jsonResponse('The function is new.', FunctionView, viewExample, etag),
    400: problemResponse('A parameter or a setting is not valid; `detail` names each.', [
      'invalid_parameter',
      'invalid_function',
    ]),
    412: changed,
    413: problemResponse('The body is too large.', ['body_too_large']),
    503: problemResponse(
      'The broker is unavailable, the function is being changed by others, or its queue already has 10,000 registered functions.',
      ['broker_unavailable', 'overloaded', 'too_many_functions'],
      retryAfterHeader,
    ),
  },
};

export const removeFunctionSchema = {
  summary: 'Remove a function',
  description:
    'If a functions file names the function as well, only the settings of this API are removed, and those of the file are ' +
    'in force again; its calls are not affected. Otherwise refused while calls of the function wait or run; `calls` is their number. With ' +
    '`purge=true`, waiting calls end as `cancelled` first, and running calls finish. If the purge takes longer than 5 s, ' +
    'the answer is 202: send the same request again. A function that only a file has registered is registered again when ' +
    'a process with such a file starts.',
  tags,
  params: FunctionParams,
  querystring: RemovalQuery,
  headers: preconditions,
  response: {
    202: jsonResponse(
      'The purge continues, and the function still exists.',
      Type.Object({ purged: Type.Integer(), done: Type.Boolean() }),
      { purged: 31_232, done: false },
      retryAfterHeader,
    ),
    204: Type.Null({ description: 'Removed, or as the functions file has it.' }),
    400: invalid,
    404: missing,
    409: problemResponse('Calls of the function have not ended.', ['calls_waiting']),
    412: changed,
    503: unavailable,
  },
};

const pausing = { tags, params: FunctionParams };

export const pauseSchema = {
  ...pausing,
  summary: 'Pause a function',
  description:
    'No worker gets another call of the function until it is resumed, even after restarts and changes. Running calls ' +
    'finish; new calls are accepted and wait. Safe to repeat.',
  response: {
    200: jsonResponse('The function is paused.', FunctionView, { ...viewExample, paused: true }, etag),
    400: invalid,
    404: missing,
    503: unavailable,
  },
};

export const resumeSchema = {
  ...pausing,
  summary: 'Resume a function',
  description: 'Waiting calls are delivered to workers again. Safe to repeat.',
  response: {
    200: jsonResponse('The function is not paused.', FunctionView, viewExample, etag),
    400: invalid,
    404: missing,
    503: unavailable,
  },
};
