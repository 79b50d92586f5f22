// Errors of the command: their words and exit codes.

export { CliError, exitCodes, usageError } from './cli-error.ts';
export { describeFailure } from './describe-failure.ts';
