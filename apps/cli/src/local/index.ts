// Commands that need no gateway: running one on this machine, checking files, making tokens.

export { devCommand } from './dev-command.ts';
export { tokenCommand } from './token-command.ts';
export { verifyCommand } from './verify-command.ts';
