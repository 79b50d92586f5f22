// The resource `call`: its state, attempts, result, events and cancellation.

export { attemptsResponse } from './attempt-schema.ts';
export { toAttemptView, toAttemptViews } from './attempt-view.ts';
export type { CallOptions } from './call-options.ts';
export { CallState, callExample } from './call-schemas.ts';
export { toCallView } from './call-view.ts';
export { callRoutes, holdBody } from './calls.ts';
