// Callers that take as much as they can get, beside one that is measured.

export type { Service } from './neighbour.ts';
export { neighbourName, SharedSystem } from './shared-system.ts';
