import { type LoadSettings, putLoad, toMeasurement } from '../load/index.ts';
import type { Absence, RunningSubject, Scale } from '../scenario.ts';
import type { System } from '../systems/index.ts';

export type LoadShape = Pick<LoadSettings, 'connections' | 'bodyBytes' | 'headers'>;

/** A system that is measured by how many calls it accepts. Each measurement leaves an empty queue. */
export function underLoad(
  system: System | Absence,
  { warmUpMs, durationMs }: Scale,
  shape: LoadShape,
): RunningSubject | Absence {
  if ('absent' in system) {
    return system;
  }
  return {
    async measure() {
      const result = await putLoad({ ...system.intake, ...shape, warmUpMs, durationMs, pids: system.pids });
      await system.purge();
      return toMeasurement(result);
    },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}
