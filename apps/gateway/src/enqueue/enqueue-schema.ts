import { Type } from 'typebox';
import { problemResponse, retryAfterHeader } from '../api/index.ts';

const Accepted = Type.Object({
  callId: Type.String({ examples: ['0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11'] }),
  function: Type.String({ examples: ['thumbnail'] }),
  status: Type.Unsafe<'queued' | 'scheduled'>({
    type: 'string',
    enum: ['queued', 'scheduled'],
    description: '`scheduled` if the call is delayed.',
  }),
});

/** The description of an enqueue. It validates nothing: `draftCall` checks the raw bytes. */
export const enqueueSchema = {
  summary: 'Call a function asynchronously',
  description:
    'Stores the call and answers 202; a worker calls the function later and posts the result to `X-Callback-Url`. ' +
    'A sub-path and a query may follow the name, as in `/async-function/thumbnail/200x100?fit=cover`. They reach the ' +
    'function byte for byte, and so do the body and all end-to-end headers. The body may be of any type, or missing. ' +
    '`X-Function-Authorization` reaches the function as `Authorization`.',
  tags: ['calls'],
  params: Type.Object({
    name: Type.String({
      description: '`NAME` or `NAME.NAMESPACE`',
      pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
      examples: ['thumbnail'],
    }),
  }),
  headers: Type.Object({
    'X-Callback-Url': Type.Optional(
      Type.String({
        description:
          'Absolute http or https URL that receives the result by POST, with path and query byte for byte. By default its ' +
          'host must be on the public Internet.',
        format: 'uri',
      }),
    ),
    'X-Then': Type.Optional(
      Type.String({
        description:
          'Up to 16 steps, separated by commas: `NAME[.NAMESPACE][/path][?query]`, with `%2C` for a comma within one. Each ' +
          'is called with the response body and the `Content-Type` of the step before, when that has succeeded. ' +
          '`X-Callback-Url` receives the result of the last.',
        examples: ['flip?axis=x,store/thumbnails'],
      }),
    ),
    'X-Failure-Callback-Url': Type.Optional(
      Type.String({
        description:
          'Receives the callback of a call that ends as `failed` or `expired`; `X-Callback-Url` then gets successes alone.',
        format: 'uri',
      }),
    ),
    'X-Callback-Forward-NAME': Type.Optional(
      Type.String({
        description:
          'Reaches the receivers of callbacks as `NAME`, and never the function. At most 16 of them, 4 KiB together; ' +
          '`NAME` must not be a header that callbacks have from asyncfn, `Content-*` or one of the connection.',
      }),
    ),
    'X-Label': Type.Optional(
      Type.String({
        description:
          'Up to 10 labels to find the call by, separated by commas or sent as several headers: `[A-Za-z0-9._=:-]{1,64}`. ' +
          'They appear in the state of the call and of the steps that follow it, and in dead letters. No function or ' +
          'receiver gets them.',
        examples: ['customer=7,nightly'],
      }),
    ),
    'X-Flow-Key': Type.Optional(
      Type.String({
        description:
          'At most `parallelism` calls of the function with this key run at once, one by default, and then in the order in ' +
          'which they were accepted; a call that waits for its retry keeps its place. 1 to 128 visible ASCII characters. A key ' +
          'belongs to the function and to the token that the call is sent with.',
        examples: ['order-1234'],
      }),
    ),
    'X-Flow-Control': Type.Optional(
      Type.String({
        description:
          'How many calls of the key may run at once, 1 to 1000, and how many (`rate`) in any window of a length (`period`, 100 ms ' +
          'to 1 hour), unless the settings of the function say it. What the latest call says holds from the next call on. Only with ' +
          '`X-Flow-Key`.',
        examples: ['parallelism=1, rate=10, period=1m'],
      }),
    ),
    'X-Call-Id': Type.Optional(
      Type.String({
        description:
          'An id that you choose. Default: a UUIDv7. An id is taken while its call is active and while its outcome is ' +
          'kept.',
        pattern: '^[A-Za-z0-9_-]{1,128}$',
        examples: ['order-4711'],
      }),
    ),
    'Idempotency-Key': Type.Optional(
      Type.String({
        description:
          'Makes the call safe to repeat. While the key is remembered (`IDEMPOTENCY_WINDOW`, 24 h), a repeated call gets ' +
          'the id of the first one and `Idempotency-Replayed: true`, and enqueues nothing. Sub-path, query and body ' +
          'must be the same.',
        pattern: '^[!-~]{1,255}$',
        examples: ['8e03978e-40d5-43e8-bc93-6894a57f9324'],
      }),
    ),
    'X-Function-Status': Type.Optional(
      Type.String({
        description:
          'Set by workers: the request is the callback of the call in `X-Call-Id`, and makes a call that follows it. If it ' +
          'is delivered twice, it enqueues once. Control headers other than `X-Callback-Url` are ignored then.',
      }),
    ),
    'X-Chain-Depth': Type.Optional(
      Type.Integer({
        description: 'Set by workers: hops from the first call of the chain. Beyond 32 the answer is 508.',
        minimum: 0,
      }),
    ),
    'X-Max-Retries': Type.Optional(
      Type.Integer({
        description: "Retries after the first try; overrides the function's setting.",
        minimum: 0,
        maximum: 1000,
      }),
    ),
    'X-Timeout': Type.Optional(
      Type.String({
        description: "Deadline of one attempt, at most the function's own. The function receives the header as well.",
        examples: ['30s', '1m30s'],
      }),
    ),
    'X-Delay': Type.Optional(
      Type.String({
        description:
          'The call is not invoked until this much time has passed since its acceptance; at most `365d`. It waits in ' +
          'JetStream. Cannot be combined with `X-Not-Before`.',
        examples: ['30s', '1h30m', '7d'],
      }),
    ),
    'X-Not-Before': Type.Optional(
      Type.String({
        description:
          'The call is not invoked before this time: RFC 3339 or Unix seconds, at most 365 days ahead. A past time ' +
          'means now.',
        examples: ['2030-01-02T15:04:05+01:00', '1893596645'],
      }),
    ),
    'X-Expires-In': Type.Optional(
      Type.String({
        description:
          'If the call has not started this long after its acceptance, it ends as `expired` and is never invoked; at ' +
          'most `365d`. A call that has started does not expire.',
        examples: ['10m', '1h30m'],
      }),
    ),
    Prefer: Type.Optional(
      Type.String({
        description:
          '`wait=N` (RFC 7240): wait for the result for up to N seconds, at most 60. Passed on to the function like other headers.',
        examples: ['wait=30'],
      }),
    ),
    'X-Function-Authorization': Type.Optional(
      Type.String({ description: 'Credentials for the function, which receives them as `Authorization`.' }),
    ),
    traceparent: Type.Optional(Type.String({ description: 'W3C trace context, passed on to the function.' })),
    tracestate: Type.Optional(Type.String({ description: 'W3C trace context, passed on to the function.' })),
  }),
  consumes: ['*/*'],
  body: Type.Unsafe<unknown>({ description: 'Any bytes.' }),
  response: {
    200: {
      description: 'With `Prefer: wait`: the result, as `GET .../result` returns it. The call has ended.',
      headers: {
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        'X-Function-Status': { schema: Type.String(), description: "The function's own status." },
        'Preference-Applied': { schema: Type.Literal('wait'), description: 'Present.' },
        'Idempotency-Replayed': { schema: Type.Literal('true'), description: 'As in a 202.' },
      },
      content: { '*/*': { schema: Type.Unsafe<unknown>({ description: 'Any bytes.' }) } },
    },
    202: {
      description: 'The call is stored, by this request or an earlier one.',
      headers: {
        'Preference-Applied': {
          schema: Type.Literal('wait'),
          description: 'Present if the result was waited for, as the caller prefers, and is not there yet.',
        },
        'Idempotency-Replayed': {
          schema: Type.Literal('true'),
          description:
            'Present if an earlier request with the same `Idempotency-Key`, or the same callback, made the call.',
        },
        'X-Call-Id': { schema: Type.String(), description: 'Id of the call.' },
        'X-Start-Time': { schema: Type.String(), description: 'When it was accepted, in Unix nanoseconds.' },
        Location: { schema: Type.String(), description: 'Where to read the state of the call.' },
      },
      content: { 'application/json': { schema: Accepted } },
    },
    400: problemResponse('The request is not valid.', [
      'invalid_function_name',
      'invalid_path',
      'invalid_call_id',
      'invalid_callback_url',
      'invalid_callback_header',
      'invalid_then',
      'invalid_label',
      'invalid_flow_key',
      'invalid_flow_control',
      'callback_not_allowed',
      'invalid_replays',
      'invalid_chain_depth',
      'invalid_max_retries',
      'invalid_timeout',
      'invalid_idempotency_key',
      'invalid_delay',
      'invalid_not_before',
      'invalid_expires_in',
      'malformed_request',
    ]),
    404: problemResponse('The function is not registered.', ['unknown_function']),
    405: problemResponse('The method is not POST.', ['method_not_allowed'], {
      Allow: { schema: Type.String(), description: 'The allowed methods.' },
    }),
    408: problemResponse('The request took too long to arrive.', ['request_timeout']),
    409: problemResponse('The call id is in use.', ['call_id_conflict']),
    413: problemResponse('The body is too large.', ['body_too_large']),
    417: problemResponse('`Expect` contains something other than `100-continue`.', ['expectation_failed']),
    422: problemResponse('The `Idempotency-Key` was used with another call.', ['idempotency_key_reused']),
    429: problemResponse(
      'The function has as many waiting calls as its `maxPending` allows, or the caller uses too many names of ' +
        'unregistered functions.',
      ['too_many_pending', 'too_many_names'],
      retryAfterHeader,
    ),
    431: problemResponse('Request line and headers are too large.', ['headers_too_large']),
    500: problemResponse('Internal error of the gateway.', ['internal_error']),
    501: problemResponse('`Transfer-Encoding` contains something other than `chunked`.', [
      'unsupported_transfer_coding',
    ]),
    503: problemResponse(
      'The call could not be stored now.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full', 'too_many_functions'],
      retryAfterHeader,
    ),
    508: problemResponse('The call is more than 32 hops from the first of its chain.', ['chain_too_deep']),
  },
};
