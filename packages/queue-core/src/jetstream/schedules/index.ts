// Stores and reads schedules, their next moments and the calls that they have made; hands moments to workers.

export { LostMoments } from './lost-moments.ts';
export { type MomentDelivery, MomentSource } from './moment-source.ts';
export {
  type MomentStep,
  type NextMoment,
  ScheduleStore,
  type StoredRuns,
  type StoredSchedule,
} from './schedule-store.ts';
