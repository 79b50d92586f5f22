export { followedFunctions } from './follow-functions.ts';
export { functionsConfig } from './functions-config.ts';
export { loadFunctionsFile } from './load-functions-file.ts';
