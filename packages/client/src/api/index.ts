// The gateway's API: types from its OpenAPI description.

export type { paths } from './schema.ts';
export type * from './types.ts';
