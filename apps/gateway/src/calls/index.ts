// The resource `call`: its state, its result, its events, its cancellation.

export type { CallOptions } from './call-options.ts';
export { callRoutes } from './calls.ts';
