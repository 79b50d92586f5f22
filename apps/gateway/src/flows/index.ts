// The resource `flow`: flow keys with calls, as operators see, pause and pin them.

export { FlowAdmin } from './flow-admin.ts';
export { type FlowOptions, flowRoutes } from './flows.ts';
