// Commands about single calls: making, following and cancelling them, and reading their results.

export { callCommand } from './call-command.ts';
export { cancelCommand } from './cancel-command.ts';
export { getCommand } from './get-command.ts';
export { resultCommand } from './result-command.ts';
