// Ways of measuring that scenarios share: under load, when all is warm, while a backlog is drained.

export { drainFigures, draining } from './draining.ts';
export { type LoadShape, underLoad } from './under-load.ts';
export { warmedUp } from './warmed-up.ts';
