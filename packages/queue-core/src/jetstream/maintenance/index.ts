// Maintains the streams, periodically: removes old outcomes, restores overdue schedules.

export { OutcomePruner } from './outcome-pruner.ts';
export { OverdueSchedules } from './overdue-schedules.ts';
