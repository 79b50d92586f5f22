// Commands for operators: queues, functions, schedules, flow keys, dead letters.

export { deadLettersCommand } from './dead-letters-command.ts';
export { flowsCommand } from './flows-command.ts';
export { functionsCommand } from './functions-command.ts';
export { queuesCommand } from './queues-command.ts';
export { schedulesCommand } from './schedules-command.ts';
