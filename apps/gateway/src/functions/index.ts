// The resource `function`.

export { FunctionParams } from './function-schemas.ts';
export { type FunctionDesk, type FunctionOptions, functionRoutes } from './functions.ts';
