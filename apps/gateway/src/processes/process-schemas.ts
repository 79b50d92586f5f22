import { Type } from 'typebox';
import { jsonResponse, problemResponse, retryAfterHeader } from '../api/index.ts';

const count = (description: string) => Type.Integer({ description });

const ProcessView = Type.Object({
  kind: Type.String({ description: '`gateway` or `worker`.' }),
  id: Type.String({ description: '`HOST:PID`, as attempts name their worker.' }),
  version: Type.String(),
  startedAt: Type.String({ format: 'date-time' }),
  server: Type.String({ description: 'The NATS server that it is connected to.' }),
  reconnects: count('How often it has connected again since its start.'),
  memoryBytes: count('Resident memory.'),
  slots: Type.Optional(count('Most calls at once, of a worker.')),
  inFlight: Type.Optional(count('Calls in flight, of a worker.')),
});

const FunctionView = Type.Object({
  function: Type.String(),
  inFlight: count('Calls in flight, over all workers.'),
  limit: Type.Optional(
    Type.Number({
      description: 'How many calls at once it takes, as workers have learnt; missing if they met no limit.',
    }),
  ),
  attempts: count('Attempts that have ended in the last five to ten minutes.'),
  failed: count('How many of them were no success.'),
});

const Audited = Type.Object(
  { ended: Type.Integer(), missing: Type.Integer(), unknown: Type.Integer() },
  { description: 'Accepted calls that these workers have followed to their end, and those that they did not find.' },
);

export const processesSchema = {
  summary: 'List the processes, and what workers have learnt',
  description:
    'Asks all gateways and workers that are connected to the broker; one that is busy for longer than 300 ms is missing.',
  tags: ['operations'],
  response: {
    200: jsonResponse(
      'The processes that have answered.',
      Type.Object({ processes: Type.Array(ProcessView), functions: Type.Array(FunctionView), audited: Audited }),
      {
        processes: [
          {
            kind: 'worker',
            id: 'worker-1:7',
            version: '0.3.0',
            startedAt: '2026-01-31T12:00:00.000Z',
            server: 'nats-1:4222',
            reconnects: 0,
            memoryBytes: 79_691_776,
            slots: 100,
            inFlight: 12,
          },
        ],
        functions: [{ function: 'thumbnail', inFlight: 12, limit: 40, attempts: 5120, failed: 17 }],
        audited: { ended: 812, missing: 0, unknown: 0 },
      },
    ),
    503: problemResponse('The broker is unavailable.', ['broker_unavailable'], retryAfterHeader),
  },
};
