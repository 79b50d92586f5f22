// What workers do for the streams again and again: forget old ends, restore overdue schedules.

export { OutcomePruner } from './outcome-pruner.ts';
export { OverdueSchedules } from './overdue-schedules.ts';
