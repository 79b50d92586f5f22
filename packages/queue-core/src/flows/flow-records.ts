import { type Static, Type } from 'typebox';
import { CallFlow, identityFields } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

const { properties } = CallFlow;
const of = { function: Type.String(), submitter: identityFields.submitter, key: properties.key };

/** The state of a flow key that has calls which run. */
const FlowStateRecord = Type.Object({
  v: Type.Literal(1),
  ...of,
  /** The calls that have their turn: id and start time. */
  running: Type.Array(Type.Tuple([identityFields.callId, identityFields.startTime])),
  /** Sequence of the last waiting call that got its turn: what waits at or before it is a left-over. */
  cursor: Type.Integer({ minimum: 0 }),
  /** What the latest call with a limit has named; absent if none has. */
  parallelism: properties.parallelism,
});

/** Says that turns of a flow key have to be given. */
const FlowNoticeRecord = Type.Object({ v: Type.Literal(1), ...of, parallelism: properties.parallelism });

export type FlowState = Readonly<Static<typeof FlowStateRecord>>;

export const flowStateCodec = createRecordCodec('Asyncfn-Flow', FlowStateRecord);
export const flowNoticeCodec = createRecordCodec('Asyncfn-Flow-Notice', FlowNoticeRecord);
