// What a worker does for the streams again and again: restores schedules that the broker forgot, removes old outcomes.

export { createMaintenance } from './maintenance.ts';
