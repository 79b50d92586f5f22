export { localSchema } from './config.ts';
export type { Installation } from './launch/index.ts';
export { runLocal } from './run-local.ts';
export { SAMPLE_FUNCTIONS } from './samples/index.ts';
