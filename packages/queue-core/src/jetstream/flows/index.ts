// Gives the calls of flow keys their turns, and keeps those that wait in their stream.

export { endTurn } from './end-turn.ts';
export type { FlowInfo, FlowPage, FlowPosition } from './flow-inspector.ts';
export { toFlowGroup } from './flow-messages.ts';
export { Flows } from './flows.ts';
