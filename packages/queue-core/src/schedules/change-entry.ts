import { isDeepStrictEqual } from 'node:util';
import type { CallTemplate } from './call-template.ts';
import type { ScheduleEntry } from './schedule-entry.ts';
import { isSameTiming, type ScheduleSettings } from './schedule-settings.ts';

/** Settings that a gateway has checked, and what they make of each call. */
export interface CheckedSettings {
  readonly settings: ScheduleSettings;
  readonly template: CallTemplate;
}

/** When a change is made, and the name of a series of moments that may begin with it. */
export interface ChangeContext {
  readonly name: string;
  /** Unix time in milliseconds. */
  readonly now: number;
  readonly newSeries: string;
}

/** The entry with these settings of the API, in front of those of a functions file. */
export function withApiSettings(
  there: ScheduleEntry | undefined,
  checked: CheckedSettings,
  context: ChangeContext,
): ScheduleEntry {
  const file = there && fileOf(there);
  return changed(there, { ...checked, source: 'api', ...(file !== undefined && { file }) }, context);
}

/**
 * The entry with what a functions file says now. The settings of the API stay in force, if there are any. Where the file
 * says nothing new, a pause or its end by the API stays in force too.
 */
export function withFileSettings(
  there: ScheduleEntry | undefined,
  checked: CheckedSettings,
  context: ChangeContext,
): ScheduleEntry {
  const isNew = there === undefined || !isDeepStrictEqual(fileOf(there), checked.settings);
  if (there?.source === 'api') {
    return { ...there, file: checked.settings };
  }
  return there !== undefined && !isNew
    ? { ...there, template: checked.template }
    : changed(there, { ...checked, source: 'file' }, context);
}

/** The entry without what a functions file said; undefined if nothing is left of it. */
export function withoutFileSettings(there: ScheduleEntry): ScheduleEntry | undefined {
  const { file: _, ...rest } = there;
  return there.source === 'api' ? rest : undefined;
}

/**
 * The entry without the settings of the API: those of a functions file are in force again.
 * @param checked those of the file
 */
export function withoutApiSettings(
  there: ScheduleEntry,
  checked: CheckedSettings,
  context: ChangeContext,
): ScheduleEntry {
  const { file: _, ...rest } = there;
  return changed(rest, { ...checked, source: 'file' }, context);
}

/** A schedule that is resumed goes on with the first moment after that. */
export function withPause(there: ScheduleEntry, paused: boolean, { newSeries }: ChangeContext): ScheduleEntry {
  return there.paused === paused ? there : { ...there, paused, series: newSeries };
}

/** What a functions file says about it; undefined for nothing. */
export function fileOf({ source, settings, file }: ScheduleEntry): ScheduleSettings | undefined {
  return source === 'file' ? settings : file;
}

type Change = CheckedSettings & Pick<ScheduleEntry, 'source' | 'file'>;

/** Moments of an unchanged timing stay as they are, so that a change loses none of them. */
function changed(there: ScheduleEntry | undefined, change: Change, context: ChangeContext): ScheduleEntry {
  const { name, now, newSeries } = context;
  const { paused = there?.paused ?? false } = change.settings;
  const isSame = there !== undefined && isSameTiming(there.settings, change.settings) && there.paused === paused;
  return {
    ...change,
    name,
    paused,
    createdAt: there?.createdAt ?? now,
    series: isSame ? there.series : newSeries,
  };
}
