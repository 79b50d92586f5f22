// The resource `call`: its state, result, events and cancellation.

export type { CallOptions } from './call-options.ts';
export { callRoutes } from './calls.ts';
