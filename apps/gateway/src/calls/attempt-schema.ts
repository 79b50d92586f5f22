import { Type } from 'typebox';
import { jsonResponse } from '../api/index.ts';

const Attempt = Type.Object({
  attempt: Type.Integer({
    description:
      '`X-Retry` plus one. An attempt that is made again because its worker was lost has the number of that one.',
  }),
  startedAt: Type.String({
    format: 'date-time',
    description: 'Of a lost attempt whose worker is not known: when the call was ready for it.',
  }),
  durationMs: Type.Optional(Type.Integer()),
  status: Type.Optional(
    Type.Integer({ description: "The function's own status; absent if it gave no usable answer." }),
  ),
  error: Type.Optional(
    Type.String({
      description:
        'Why it gave none: `unreachable`, `bad_response`, `deadline` or `response_too_large`, and the code of the error.',
      examples: ['unreachable: ECONNREFUSED'],
    }),
  ),
  verdict: Type.String({
    description:
      'What followed: `succeeded`, `retry`, `failed` or `cancelled`; `lost` if its worker died or was cut off before it told ' +
      'a result, so that the function may or may not have run; `running` while it runs.',
    examples: ['retry'],
  }),
  retryAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'When the next attempt was due. Absent if it followed at once.' }),
  ),
  worker: Type.String({ description: '`HOST:PID`, or `unknown`.', examples: ['worker-1:17'] }),
});

const first = { attempt: 1, startedAt: '2026-01-31T12:00:00.012Z', durationMs: 41, worker: 'worker-1:17' };

/** The answer with the attempts of a call. */
export const attemptsResponse = jsonResponse(
  'The attempts, oldest first. Of more than 20, the first 4 and the newest 16.',
  Type.Object({ attempts: Type.Array(Attempt) }),
  {
    attempts: [
      { ...first, status: 503, verdict: 'retry', retryAt: '2026-01-31T12:00:10.061Z' },
      { ...first, attempt: 2, startedAt: '2026-01-31T12:00:10.067Z', status: 200, verdict: 'succeeded' },
    ],
  },
);
