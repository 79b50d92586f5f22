// Maintains the streams, periodically: removes old outcomes, restores overdue schedules.

export { findMoving, tokensOf } from './moving-calls.ts';
export { OutcomePruner } from './outcome-pruner.ts';
export { OverdueSchedules } from './overdue-schedules.ts';
