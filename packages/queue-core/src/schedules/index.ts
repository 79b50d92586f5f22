// Schedules: calls that come by themselves. Their settings, their moments, and what is stored about them. Pure.

export { CallTemplate, scheduledCallId, toScheduledCall } from './call-template.ts';
export {
  type ChangeContext,
  type CheckedSettings,
  fileOf,
  withApiSettings,
  withFileSettings,
  withoutApiSettings,
  withoutFileSettings,
  withPause,
} from './change-entry.ts';
export {
  Moment,
  momentCodec,
  nameInSubject,
  runsCodec,
  runsSubject,
  type ScheduleRun,
  scheduleSubject,
  scheduleSubjects,
  withRun,
} from './moment.ts';
export { dueAtOf, type MomentPlan, planMoment } from './plan-moment.ts';
export { decodeSchedule, encodeSchedule, type ScheduleContent, type ScheduleEntry } from './schedule-entry.ts';
export { scheduleNameProblem, scheduleProblems, scheduleSettingNames } from './schedule-problems.ts';
export { bodyOf, defaultSettings, rawHeadersOf, type ScheduleSettings } from './schedule-settings.ts';
export { nextTimes, timesOf } from './times.ts';
