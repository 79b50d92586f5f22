// Runs the attempts of a call, from its delivery to its end.

export { buildAttempts } from './build-attempts.ts';
