import { parseDuration } from '@asyncfn/units';
import { Cron } from 'croner';
import type { ScheduleSettings } from './schedule-settings.ts';

/** The moments of a schedule: Unix times in milliseconds. */
export interface Times {
  /** The first moment after a time; undefined if there is none. */
  next(after: number): number | undefined;
  /** The last moment before a time; undefined if there is none. */
  previous(before: number): number | undefined;
}

const secondMs = 1_000;

/**
 * The moments of a schedule. They depend on its definition alone, so that all processes agree.
 * @param createdAt from which `every` counts: Unix time in milliseconds
 */
export function timesOf(settings: ScheduleSettings, createdAt: number): Times {
  const { cron, every = '', timeZone } = settings;
  return cron === undefined ? timesOfEvery(parseDuration(every) ?? secondMs, createdAt) : timesOfCron(cron, timeZone);
}

/** The first moments after a time, in their order. */
export function nextTimes(times: Times, after: number, count: number): number[] {
  const found: number[] = [];
  for (let next = times.next(after); next !== undefined && found.length < count; next = times.next(next)) {
    found.push(next);
  }
  return found;
}

function timesOfEvery(everyMs: number, createdAt: number): Times {
  return {
    next: (after) => createdAt + everyMs * Math.max(1, Math.floor((after - createdAt) / everyMs) + 1),
    previous(before) {
      const count = Math.ceil((before - createdAt) / everyMs) - 1;
      return count < 1 ? undefined : createdAt + everyMs * count;
    },
  };
}

/** Moments are whole minutes, and croner counts in whole seconds. */
function timesOfCron(cron: string, timeZone: string | undefined): Times {
  const job = openCron(cron, timeZone);
  const floor = (at: number): Date => new Date(Math.floor(at / secondMs) * secondMs);
  const ceil = (at: number): Date => new Date(Math.ceil(at / secondMs) * secondMs);
  return {
    next: (after) => job.nextRun(floor(after))?.getTime(),
    previous: (before) => job.previousRuns(1, ceil(before))[0]?.getTime(),
  };
}

/**
 * Throws for a pattern that is not valid. A time that a change of the clock skips becomes the first moment after it,
 * and one that comes twice counts once, unless minutes or hours have a wildcard: then each hour that passes counts.
 */
export function openCron(cron: string, timeZone = 'UTC'): Cron {
  return new Cron(cron, { timezone: timeZone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
}
