// Runs the attempts of a call, from its delivery to its end.

export { type Attempts, buildAttempts } from './build-attempts.ts';
