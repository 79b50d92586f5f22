import {
  defaultSettings,
  nextTimes,
  type ScheduleEntry,
  type ScheduleRun,
  timesOf,
} from '@asyncfn/queue-core/schedules';

/** How many moments are shown. */
const shownTimes = 5;

/** A schedule as operators see it: its settings as they are written, with the defaults, and its next moments. */
export function toScheduleView(entry: ScheduleEntry, now: number) {
  const { name, source, paused, createdAt, settings } = entry;
  const { overlap, catchUp, catchUpWindow, timeZone } = defaultSettings;
  const next = paused ? [] : nextTimes(timesOf(settings, createdAt), now, shownTimes);
  return {
    name,
    source,
    createdAt: toInstant(createdAt),
    timeZone,
    overlap,
    catchUp,
    catchUpWindow,
    ...settings,
    paused,
    next: next.map(toInstant),
  };
}

export function toRunViews(runs: readonly ScheduleRun[]) {
  return runs.map(({ at, callId }) => ({ at: toInstant(at), callId }));
}

function toInstant(at: number): string {
  return new Date(at).toISOString();
}
