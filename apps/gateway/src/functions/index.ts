// The resource `function`.

export { FunctionParams } from './function-schemas.ts';
export { type FunctionAdmin, type FunctionOptions, functionRoutes } from './functions.ts';
