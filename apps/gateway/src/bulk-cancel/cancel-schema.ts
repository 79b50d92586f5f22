import { Type } from 'typebox';
import {
  functionParameter,
  jsonResponse,
  labelParameter,
  problemResponse,
  queueParameter,
  retryAfterHeader,
  timeParameters,
} from '../api/index.ts';

const living = Type.Enum(['scheduled', 'queued', 'running', 'retrying']);

/** Described for clients; `parseSelection` checks it, because its refusals say what would be right. */
export const cancelBody = Type.Object(
  {
    function: functionParameter,
    queue: queueParameter,
    status: Type.Optional(
      Type.Union([living, Type.Array(living, { minItems: 1 })], {
        description: 'One or several. Default: all of them.',
        examples: [['queued', 'retrying']],
      }),
    ),
    label: labelParameter,
    ...timeParameters,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, default: 10_000, description: 'Most calls to cancel.' }),
    ),
  },
  { additionalProperties: false, examples: [{ label: 'customer=7', status: ['queued', 'retrying'] }] },
);

export const bulkCancelSchema = {
  summary: 'Cancel many calls',
  description:
    'Cancels the calls that have not ended and that all given filters select, each as it would be cancelled ' +
    'alone. At least one filter is needed. Calls that are accepted meanwhile are left alone. `complete` is false if ' +
    '`limit` or five seconds were not enough: send the same request again until it is true. Repeating it does no harm.',
  tags: ['calls'],
  body: cancelBody,
  response: {
    202: jsonResponse(
      'No attempt of the cancelled calls starts after this answer.',
      Type.Object({
        cancelled: Type.Integer({ description: 'Calls that this request has cancelled.' }),
        complete: Type.Boolean({ description: 'Whether none of the selected calls is left.' }),
      }),
      { cancelled: 128, complete: true },
    ),
    400: problemResponse('The body is not valid; `detail` says what is wrong.', ['invalid_parameter']),
    413: problemResponse('The body is too large.', ['body_too_large']),
    503: problemResponse(
      'The broker is unavailable, or others are being cancelled. Cancelled calls stay cancelled.',
      ['broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'],
      retryAfterHeader,
    ),
  },
};
