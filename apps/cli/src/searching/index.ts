// Commands that find calls, and follow what happens to them.

export { callsCommand } from './calls-command.ts';
export { tailCommand } from './tail-command.ts';
