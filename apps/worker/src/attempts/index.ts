// Runs the attempts of a call, from its delivery to its end.

export { CallRunner } from './call-runner.ts';
