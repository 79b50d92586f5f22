import type { MomentDelivery, MomentStep } from '@asyncfn/queue-core/jetstream';
import { dueAtOf, type Moment, type ScheduleEntry } from '@asyncfn/queue-core/schedules';

/** A moment that a worker deals with, and its schedule as it is now. */
export interface MomentWork {
  readonly delivery: MomentDelivery;
  readonly moment: Moment;
  readonly entry: ScheduleEntry;
  /** See `ScheduleStore.basisOf`. */
  readonly basis: number;
}

/** The step to the moment `at`, or to the end of the moments. */
export function stepTo({ entry, moment, basis }: MomentWork, at: number | undefined): MomentStep {
  const { name, series } = entry;
  const next = at === undefined ? undefined : { moment: { v: moment.v, name, series, at }, dueAt: dueAtOf(entry, at) };
  return { name, basis, next };
}

/** For logs. */
export function momentFields({ name }: Pick<ScheduleEntry, 'name'>, at: number) {
  return { schedule: name, at: new Date(at).toISOString() };
}
