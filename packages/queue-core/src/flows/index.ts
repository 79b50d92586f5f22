// Flow keys: whose they are, the turns of their calls, and what is stored about them. Pure.

export { nextTurnAt, withoutOldEnds, withTimes } from './ends.ts';
export { type FlowKey, type FlowPlace, flowIdOf, flowPlaceIn, flowPlaceOf, isFlowKey } from './flow-key.ts';
export { type FlowLimits, type FlowState, flowNoticeCodec, flowStateCodec } from './flow-records.ts';
export { hasRoom, isOpenAt, type KeyLimits, limitsOf, namedIn } from './limits.ts';
export {
  emptyState,
  type FlowControl,
  isAtRest,
  isSameState,
  type LimitSources,
  limitOf,
  rateOf,
  roomIn,
  sourcesOf,
  withControl,
  withoutCalls,
  withTurns,
} from './turns.ts';
