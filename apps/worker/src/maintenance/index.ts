// Maintains the streams, periodically: restores schedules that the broker forgot, removes old outcomes.

export { createMaintenance } from './maintenance.ts';
