// Maintains the streams, periodically: removes old outcomes, restores overdue schedules.

export { isChainOpen } from './open-chains.ts';
export { OutcomePruner } from './outcome-pruner.ts';
export { OverdueSchedules } from './overdue-schedules.ts';
