// Callers who take what they can get, beside one who is measured.

export type { Service } from './neighbour.ts';
export { neighbourName, SharedSystem } from './shared-system.ts';
