import { createHash } from 'node:crypto';
import { parseDuration } from '@asyncfn/units';
import { defaultSettings, type ScheduleSettings } from './schedule-settings.ts';
import { type Times, timesOf } from './times.ts';

/** A schedule as far as its moments depend on it. */
export interface PlannedSchedule {
  readonly name: string;
  readonly settings: ScheduleSettings;
  /** From which `every` counts: Unix time in milliseconds. */
  readonly createdAt: number;
}

/** What to do about a moment whose time has come. Moments are Unix times in milliseconds. */
export type MomentPlan =
  /** It is not due yet, by the broker's clock. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Call the function for the moment `at`: this one, or a later one that stands for it. */
  | { readonly kind: 'fire'; readonly at: number; readonly missed: Missed }
  /** No call. `next` is the next moment; undefined if there is none. */
  | { readonly kind: 'skip'; readonly next: number | undefined; readonly missed: Missed };

/** Moments that are passed over because they came too late: how many, counted up to `maxCounted`. */
type Missed = number;

/** A moment is missed when it is more than this late, in milliseconds. */
const onTimeMs = 5_000;
/** The broker's clock may be ahead of what we know of it, in milliseconds. */
const earlyMs = 1_000;
/** Most moments of an `every` that `all` catches up with: those of a `cron` are a minute apart at least. */
const maxCaughtUp = 1_000;
/** Most moments that are counted. */
const maxCounted = 1_000;

/** Decides what to do about a moment. */
export function planMoment(schedule: PlannedSchedule, at: number, now: number): MomentPlan {
  const due = dueTimes(schedule);
  const lateMs = now - due.dueAt(at);
  if (lateMs < -earlyMs) {
    return { kind: 'wait', waitMs: -lateMs };
  }
  if (lateMs <= onTimeMs) {
    return { kind: 'fire', at, missed: 0 };
  }
  const moment = catchUpWith(schedule.settings, due, at, now);
  const missed = countBetween(due.times, at, moment ?? now);
  if (moment === undefined || due.dueAt(moment) > now) {
    return { kind: 'skip', next: moment, missed };
  }
  return { kind: 'fire', at: moment, missed };
}

/** When the moment is due: with its jitter, which is the same in every process. Unix time in milliseconds. */
export function dueAtOf(schedule: PlannedSchedule, at: number): number {
  return dueTimes(schedule).dueAt(at);
}

interface DueTimes {
  readonly times: Times;
  readonly dueAt: (at: number) => number;
}

/** No moment is due before the one before it: the jitter is shorter than the time to the next. */
function dueTimes({ name, settings, createdAt }: PlannedSchedule): DueTimes {
  const times = timesOf(settings, createdAt);
  const jitterMs = parseDuration(settings.jitter ?? '0') ?? 0;
  const dueAt = (at: number): number => {
    if (jitterMs === 0) {
      return at;
    }
    const room = (times.next(at) ?? Number.POSITIVE_INFINITY) - at;
    return at + Math.floor(shareOf(name, at) * Math.min(jitterMs, room));
  };
  return { times, dueAt };
}

/** From 0 up to 1, spread evenly over names and moments. */
function shareOf(name: string, at: number): number {
  return (
    createHash('sha256')
      .update(JSON.stringify([name, at]))
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}

/** The moment to go on with instead of one that is missed: it is due, or the next one. */
function catchUpWith(settings: ScheduleSettings, due: DueTimes, at: number, now: number): number | undefined {
  const { catchUp = defaultSettings.catchUp } = settings;
  const windowMs = Math.max(windowOf(settings, catchUp), onTimeMs);
  if (catchUp === 'none') {
    return firstDueFrom(due, now - onTimeMs);
  }
  if (catchUp === 'all') {
    return due.dueAt(at) >= now - windowMs ? at : firstDueFrom(due, now - windowMs);
  }
  const latest = lastDueBy(due, now) ?? at;
  return due.dueAt(latest) >= now - windowMs ? latest : due.times.next(latest);
}

function windowOf({ every, catchUpWindow = defaultSettings.catchUpWindow }: ScheduleSettings, catchUp: string): number {
  const windowMs = parseDuration(catchUpWindow) ?? 0;
  const everyMs = every === undefined ? undefined : parseDuration(every);
  return catchUp === 'all' && everyMs !== undefined ? Math.min(windowMs, everyMs * maxCaughtUp) : windowMs;
}

/** The first moment that is due at a time or later. */
function firstDueFrom({ times, dueAt }: DueTimes, from: number): number | undefined {
  const before = times.previous(from);
  return before !== undefined && dueAt(before) >= from ? before : times.next(from - 1);
}

/** The last moment that is due at a time or before. */
function lastDueBy({ times, dueAt }: DueTimes, by: number): number | undefined {
  const last = times.previous(by + 1);
  return last === undefined || dueAt(last) <= by ? last : times.previous(last);
}

/** How many moments there are from one up to another, the second one excluded. */
function countBetween(times: Times, from: number, to: number): number {
  let count = 0;
  for (let at: number | undefined = from; at !== undefined && at < to && count < maxCounted; at = times.next(at)) {
    count += 1;
  }
  return count;
}
