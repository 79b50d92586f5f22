// Long runs, and the trends in them.

export { formatTrends } from './format-trends.ts';
export { soak } from './soak.ts';
