import { type Static, Type } from 'typebox';
import { identityFields, isNamePart, MomentTime } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

const name = Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' });

/** The next moment of a schedule. */
export const Moment = Type.Object({
  v: Type.Literal(1),
  name,
  /** That of the schedule when the moment was stored. */
  series: Type.String(),
  at: MomentTime,
  /** It came while a call of the schedule had not ended, and waits for that: see `overlap: queue`. */
  waiting: Type.Optional(Type.Boolean()),
});

export type Moment = Readonly<Static<typeof Moment>>;

export const momentCodec = createRecordCodec('Asyncfn-Moment', Moment);

/** Calls that a schedule has made, newest first. */
const Runs = Type.Object({
  v: Type.Literal(1),
  runs: Type.Array(
    Type.Object({
      ...identityFields,
      at: MomentTime,
      function: Type.String(),
      queue: Type.String(),
    }),
  ),
});

export type ScheduleRun = Readonly<Static<typeof Runs>['runs'][number]>;

export const runsCodec = createRecordCodec('Asyncfn-Runs', Runs);

/** How many calls a schedule remembers. */
const maxRuns = 10;

/** The calls of a schedule with one more, which is there once however often it is added. */
export function withRun(runs: readonly ScheduleRun[], run: ScheduleRun): ScheduleRun[] {
  const others = runs.filter(({ callId }) => callId !== run.callId);
  return [run, ...others].slice(0, maxRuns);
}

/** `definition`: the schedule; `later`: its next moment, a schedule of the server; `due`: a moment whose time has come. */
type Kind = 'definition' | 'later' | 'due' | '*';

/** `schedules.<kind>.<name>`. Throws for a name that could break out of its token (P7). */
export function scheduleSubject(kind: Kind, of: string): string {
  return `schedules.${kind}.${checked(of)}`;
}

/** The calls that a schedule has made. */
export function runsSubject(of: string): string {
  return `schedules.runs.last.${checked(of)}`;
}

/** The subjects of all schedules. */
export const scheduleSubjects = {
  all: ['schedules.definition.*', 'schedules.later.*', 'schedules.due.*', 'schedules.runs.last.*'],
  definitions: 'schedules.definition.*',
  later: 'schedules.later.*',
  due: 'schedules.due.*',
} as const;

/** The name of the schedule that a subject is of. */
export function nameInSubject(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

function checked(text: string): string {
  if (!isNamePart(text)) {
    throw new TypeError('the name of a schedule must match [A-Za-z0-9_-]{1,63}');
  }
  return text;
}
