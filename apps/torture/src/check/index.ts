// The checker: a pure function of the history.

export { checkHistory, type Verdict, type Violation } from './check-history.ts';
export type { RuleLimits } from './excuses.ts';
export { type Impact, measureImpact } from './impact.ts';
