import type { Measurement, RunningSubject, Subject } from '../scenario.ts';

/** A subject that starts again for each round. */
export function once(name: string, measure: () => Promise<Measurement>): Subject {
  const running: RunningSubject = { measure, [Symbol.asyncDispose]: () => Promise.resolve() };
  return { name, start: () => Promise.resolve(running) };
}
