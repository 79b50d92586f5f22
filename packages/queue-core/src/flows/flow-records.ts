import { type Static, Type } from 'typebox';
import { CallFlow, identityFields } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

const { properties } = CallFlow;
const limits = { parallelism: properties.parallelism, rate: properties.rate };
const of = { function: Type.String(), submitter: identityFields.submitter, key: properties.key };

/**
 * The state of a flow key that has calls which run, or that an operator has paused or pinned, or whose rate counts calls that
 * have ended.
 */
const FlowStateRecord = Type.Object({
  v: Type.Literal(1),
  ...of,
  /** The calls that have their turn: id and start time. */
  running: Type.Array(Type.Tuple([identityFields.callId, identityFields.startTime])),
  /** Sequence of the last waiting call that got its turn: what waits at or before it is a left-over. */
  cursor: Type.Integer({ minimum: 0 }),
  /** What the latest call with such a limit has named; absent if none has. */
  ...limits,
  /** No call gets its turn. */
  paused: Type.Optional(Type.Literal(true)),
  /** Limits that an operator has set, in place of all others. */
  pin: Type.Optional(Type.Object(limits)),
  /** Calls that have ended and count for the rate: when (Unix time in milliseconds), and how many. */
  ended: Type.Optional(Type.Array(Type.Tuple([Type.Number(), Type.Integer({ minimum: 1 })]))),
  /** How many calls have ended with this very change of the state. */
  justEnded: Type.Optional(Type.Integer({ minimum: 1 })),
});

/** Says that turns of a flow key have to be given. */
const FlowNoticeRecord = Type.Object({ v: Type.Literal(1), ...of, ...limits });

export type FlowState = Readonly<Static<typeof FlowStateRecord>>;

/** What holds for the calls of a key, as far as it is said. */
export type FlowLimits = Readonly<NonNullable<FlowState['pin']>>;

export const flowStateCodec = createRecordCodec('Asyncfn-Flow', FlowStateRecord);
export const flowNoticeCodec = createRecordCodec('Asyncfn-Flow-Notice', FlowNoticeRecord);
