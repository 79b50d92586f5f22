export { followFunctions } from './follow-functions.ts';
export { loadFunctionsFile } from './load-functions-file.ts';
