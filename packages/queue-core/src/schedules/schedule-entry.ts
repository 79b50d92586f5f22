import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { CallTemplate } from './call-template.ts';
import { ScheduleSettings } from './schedule-settings.ts';

/** Version 1 of the layout. Fields that a reader does not know stay as they are. */
const StoredEntry = Type.Object({
  v: Type.Literal(1),
  name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' }),
  /** Whose settings are in force: those of a functions file, or of the API. */
  source: Type.Union([Type.Literal('file'), Type.Literal('api')]),
  paused: Type.Boolean(),
  /** Unix time in milliseconds. `every` counts from it. */
  createdAt: Type.Number(),
  /** Identifies the moments that belong to the schedule as it is now: others are obsolete. */
  series: Type.String(),
  settings: ScheduleSettings,
  /** What the settings make of each call. */
  template: CallTemplate,
  /** The settings of a functions file that come back into force if those of the API are deleted. */
  file: Type.Optional(ScheduleSettings),
});

const stored = Compile(StoredEntry);
const tombstone = '{"v":1,"removed":true}';

/** A schedule as the broker keeps it. */
export interface ScheduleEntry extends Readonly<Omit<Static<typeof StoredEntry>, 'v'>> {}

export type ScheduleContent = ScheduleEntry | 'removed' | 'unreadable';

export function encodeSchedule(content: ScheduleEntry | 'removed'): Uint8Array {
  return Buffer.from(content === 'removed' ? tombstone : JSON.stringify({ v: 1, ...content }));
}

/** `unreadable` for anything but an entry of a known layout. */
export function decodeSchedule(data: Uint8Array): ScheduleContent {
  const text = Buffer.from(data).toString();
  if (text === tombstone) {
    return 'removed';
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (!stored.Check(parsed)) {
      return 'unreadable';
    }
    const { v: _, ...entry } = parsed;
    return entry;
  } catch {
    return 'unreadable';
  }
}
