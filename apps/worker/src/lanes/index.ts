// A lane for each function, and which lane gets the next slot.

export { buildLanes, type Lanes } from './build-lanes.ts';
export { createCachedBacklog } from './cached-backlog.ts';
