// Ways of measuring that scenarios share: under load, while a backlog is drained, after a warm-up, from a cold start.

export { drainFigures, draining } from './draining.ts';
export { coldFigures, fromCold } from './from-cold.ts';
export { type LoadShape, underLoad } from './under-load.ts';
export { warm, warmUp } from './warm.ts';
