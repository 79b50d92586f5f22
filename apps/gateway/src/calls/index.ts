// The resource `call`: its state, attempts, result, events and cancellation.

export { attemptsResponse } from './attempt-schema.ts';
export { toAttemptViews } from './attempt-view.ts';
export type { CallOptions } from './call-options.ts';
export { callRoutes } from './calls.ts';
export { noRoomForResult, piecesOf, uncountedBytes } from './result-sender.ts';
