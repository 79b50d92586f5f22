// One request to a function, and how it ended.

export { type AttemptResult, invoke } from './invoke.ts';
