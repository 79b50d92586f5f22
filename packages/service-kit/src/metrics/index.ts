// Additions to prom-client.

export { createBoundedLabel } from './bounded-label.ts';
export { TallyCounter } from './tally-counter.ts';
export { TallyHistogram } from './tally-histogram.ts';
