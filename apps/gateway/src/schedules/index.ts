// The resource `schedule`: calls that come by themselves, as operators and functions files define them.

export { buildSchedules, type Schedules } from './build-schedules.ts';
export { callProblemsOf } from './file-schedules.ts';
export { ScheduleRegister, type ScheduleRegisterOptions } from './schedule-register.ts';
export { type ScheduleOptions, scheduleRoutes } from './schedules.ts';
