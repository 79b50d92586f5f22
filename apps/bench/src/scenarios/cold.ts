import { coldFigures, fromCold, underLoad } from '../measuring/index.ts';
import type { Absence, Scale, Scenario, Subject } from '../scenario.ts';
import {
  type RunOptions,
  type System,
  type SystemOptions,
  startAsyncfn,
  startBullmq,
  startFloor,
} from '../systems/index.ts';
import { drainSubject } from './drain.ts';

type Start = (run?: RunOptions) => Promise<System | Absence>;

/**
 * A user's first seconds: the rate of a process that has just started, beside the rate of the same process when it is
 * warm.
 */
export function coldScenario(options: SystemOptions): Scenario {
  const systems: Readonly<Record<string, Start>> = {
    asyncfn: (run) => startAsyncfn({ ...options, ...run }),
    floor: (run) => startFloor(options, run),
    bullmq: (run) => startBullmq('minimal', run),
  };
  const subjects = (toSubject: (name: string, start: Start) => Subject): Subject[] =>
    Object.entries(systems).map(([name, start]) => toSubject(name, start));
  return {
    name: 'cold',
    title: 'The first seconds after a start, beside the same processes when they are warm',
    figures: coldFigures,
    reference: 'floor',
    cases: (scale) => [
      { name: 'accepting, 64 connections, 256 B', subjects: subjects((name, start) => coldAccept(name, scale, start)) },
      { name: 'draining, 64 slots', subjects: subjects((name, start) => coldDrain(name, scale, start)) },
    ],
  };
}

function coldAccept(name: string, { coldMs, ...scale }: Scale, start: Start): Subject {
  const asLong = { ...scale, coldMs, warmUpMs: 0, durationMs: coldMs };
  const shape = { connections: 64, bodyBytes: 256 };
  return { name, start: () => fromCold(async () => underLoad(await start(), asLong, shape), 'calls/s') };
}

/** A worker needs about the whole time to run the calls that are put into the queue in two fifths of it. */
function coldDrain(name: string, scale: Scale, start: Start): Subject {
  const cold = { ...scale, fillMs: 0.4 * scale.coldMs };
  const subject = drainSubject(name, 64, cold, start);
  return { name, start: () => fromCold(() => subject.start(), 'calls/s overall') };
}
