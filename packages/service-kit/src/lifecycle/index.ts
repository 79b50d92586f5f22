// Starts and stops the parts of a process: one contract for all long-lived parts, and one function that starts a list
// of them in order and stops it in reverse.

export type { Component } from './component.ts';
export { composeService } from './compose-service.ts';
export { createService, type Service } from './service.ts';
