import { type Static, Type } from 'typebox';
import { CallFlow, identityFields } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

const { properties } = CallFlow;
const of = { function: Type.String(), submitter: identityFields.submitter, key: properties.key };

/** The state of a flow key that has calls which run, or that an operator has paused or pinned. */
const FlowStateRecord = Type.Object({
  v: Type.Literal(1),
  ...of,
  /** The calls that have their turn: id and start time. */
  running: Type.Array(Type.Tuple([identityFields.callId, identityFields.startTime])),
  /** Sequence of the last waiting call that got its turn: what waits at or before it is a left-over. */
  cursor: Type.Integer({ minimum: 0 }),
  /** What the latest call with a limit has named; absent if none has. */
  parallelism: properties.parallelism,
  /** No call gets its turn. */
  paused: Type.Optional(Type.Literal(true)),
  /** Limits that an operator has set, in place of all others. */
  pin: Type.Optional(Type.Object({ parallelism: properties.parallelism })),
});

/** Says that turns of a flow key have to be given. */
const FlowNoticeRecord = Type.Object({ v: Type.Literal(1), ...of, parallelism: properties.parallelism });

export type FlowState = Readonly<Static<typeof FlowStateRecord>>;

/** What holds for the calls of a key, as far as it is said. */
export type FlowLimits = Readonly<NonNullable<FlowState['pin']>>;

export const flowStateCodec = createRecordCodec('Asyncfn-Flow', FlowStateRecord);
export const flowNoticeCodec = createRecordCodec('Asyncfn-Flow-Notice', FlowNoticeRecord);
