// A lane for each function, and which lane gets the next slot.

export { createBacklogLook } from './backlog-look.ts';
export { buildLanes, type Lanes } from './build-lanes.ts';
export { Dispatcher } from './dispatcher.ts';
