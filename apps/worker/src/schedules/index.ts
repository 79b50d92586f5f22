// Makes the calls of schedules: takes each moment whose time has come, and stores its call and the next moment.

export { buildSchedules } from './build-schedules.ts';
