import { type Static, Type } from 'typebox';
import { createRecordCodec } from '../records/index.ts';

/** The subjects of reports, over core NATS: nothing of them is stored. */
export const processSubjects = {
  /** A gateway asks all processes for a report. */
  who: 'asyncfn.processes.who',
  /** Reports, from every process to the gateways that have asked. */
  here: 'asyncfn.processes.here',
} as const;

/** More functions are not reported: a report is one message. */
export const mostLanes = 2_000;

const count = Type.Integer({ minimum: 0 });
const text = Type.String({ maxLength: 256 });

/** A function as one worker knows it. */
const ReportedLane = Type.Object({
  function: text,
  inFlight: count,
  /** How many calls at once the function takes, as far as the worker has learnt; missing if it has met no limit. */
  limit: Type.Optional(Type.Number({ minimum: 0 })),
  /** Attempts that have ended in the last minutes. */
  attempts: count,
  /** How many of them were no success. */
  failed: count,
});

const ProcessReport = Type.Object({
  v: Type.Literal(1),
  kind: Type.Enum(['gateway', 'worker']),
  /** `HOST:PID`, as attempts name their worker. */
  id: text,
  version: text,
  /** Unix time in milliseconds. */
  startedAt: Type.Integer(),
  /** The NATS server that it is connected to. */
  server: text,
  reconnects: count,
  memoryBytes: count,
  worker: Type.Optional(
    Type.Object({
      slots: count,
      /** Receipts of accepted calls that it has followed since its start, by what was found. */
      audited: Type.Record(Type.String(), count),
      lanes: Type.Array(ReportedLane, { maxItems: mostLanes }),
    }),
  ),
});

export type ReportedLane = Static<typeof ReportedLane>;
export type ProcessReport = Static<typeof ProcessReport>;

export const processReportCodec = createRecordCodec('Asyncfn-Process', ProcessReport);
