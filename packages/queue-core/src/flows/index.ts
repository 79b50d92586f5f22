// Flow keys: whose they are, the turns of their calls, and what is stored about them. Pure.

export { type FlowKey, type FlowPlace, flowIdOf, flowPlaceIn, flowPlaceOf, isFlowKey } from './flow-key.ts';
export { type FlowState, flowNoticeCodec, flowStateCodec } from './flow-records.ts';
export {
  emptyState,
  type FlowControl,
  isAtRest,
  isSameState,
  limitOf,
  roomIn,
  withControl,
  withoutCalls,
  withTurns,
} from './turns.ts';
