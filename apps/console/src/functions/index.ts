// The functions: their list, and one with its settings and its load.

export { FunctionPage } from './function-page.tsx';
export { FunctionsPage } from './functions-page.tsx';
export { liveFunctions } from './live-functions.ts';
