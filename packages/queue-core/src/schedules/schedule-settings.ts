import { type Static, Type } from 'typebox';

const Overlap = Type.Union([Type.Literal('allow'), Type.Literal('skip'), Type.Literal('queue')]);
const CatchUp = Type.Union([Type.Literal('none'), Type.Literal('latest'), Type.Literal('all')]);

/**
 * A schedule as it is written, in a request or a functions file: what it calls, and when. `scheduleProblems` says what is
 * wrong with one that is written; this is what the broker keeps, open to settings of later versions.
 */
export const ScheduleSettings = Type.Object({
  function: Type.String(),
  /** Sub-path and query. */
  path: Type.Optional(Type.String()),
  headers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]))),
  /** At most one of these three. */
  body: Type.Optional(Type.String()),
  bodyBase64: Type.Optional(Type.String()),
  json: Type.Optional(Type.Unknown()),
  /** Exactly one of these two. */
  cron: Type.Optional(Type.String()),
  every: Type.Optional(Type.String()),
  /** Of `cron`; `every` does not depend on it. Default `UTC`. */
  timeZone: Type.Optional(Type.String()),
  /** Default `allow`. */
  overlap: Type.Optional(Overlap),
  /** Default `latest`. */
  catchUp: Type.Optional(CatchUp),
  /** Default `1h`. */
  catchUpWindow: Type.Optional(Type.String()),
  /** Default none. */
  jitter: Type.Optional(Type.String()),
  paused: Type.Optional(Type.Boolean()),
});

export type ScheduleSettings = Readonly<Static<typeof ScheduleSettings>>;

export const overlaps = ['allow', 'skip', 'queue'] as const;
export const catchUps = ['none', 'latest', 'all'] as const;

export const defaultSettings = { timeZone: 'UTC', overlap: 'allow', catchUp: 'latest', catchUpWindow: '1h' } as const;

/** Maximum length of the settings of one schedule as JSON, body included, in bytes. */
export const maxSettingsBytes = 64 * 1024;

/** Whether two schedules have the same moments, if they were created at the same time. */
export function isSameTiming(one: ScheduleSettings, other: ScheduleSettings): boolean {
  const zone = ({ timeZone = defaultSettings.timeZone }: ScheduleSettings): string => timeZone;
  return one.cron === other.cron && one.every === other.every && zone(one) === zone(other);
}

/** The body of its calls. */
export function bodyOf({ body = '', bodyBase64, json }: ScheduleSettings): Uint8Array {
  if (json !== undefined) {
    return Buffer.from(JSON.stringify(json));
  }
  return bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64');
}

/** The headers of its calls, names and values in turn, as a request would have them. */
export function rawHeadersOf({ headers = {}, json }: ScheduleSettings): string[] {
  const raw = Object.entries(headers).flatMap(([name, values]) => [values].flat().flatMap((value) => [name, value]));
  const isTyped = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return json === undefined || isTyped ? raw : [...raw, 'Content-Type', 'application/json'];
}
