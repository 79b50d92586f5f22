// The functions file as a gateway reads it: with the calls of its schedules and the secrets of its webhooks.

export { checkFunctionsFile } from './check-functions-file.ts';
export { loadFile } from './load-file.ts';
