import type { Absence, RunningSubject, Scale, Subject } from '../scenario.ts';

type Warmth = Pick<Scale, 'coldMs'>;

/** A subject whose first measurement that counts is one of warm processes. */
export function warm(subject: Subject, scale: Warmth): Subject {
  return { name: subject.name, start: async () => warmUp(await subject.start(), scale) };
}

/**
 * The subject, measured without counting it until its processes are warm: for `coldMs` after their start, and at least once. A cold
 * process takes several times the CPU time for a call. If such a measurement fails, the subject is ended.
 */
export async function warmUp<T extends RunningSubject | Absence>(subject: T, { coldMs }: Warmth): Promise<T> {
  if ('absent' in subject) {
    return subject;
  }
  const warmAt = performance.now() + coldMs;
  try {
    do {
      await subject.measure();
    } while (performance.now() < warmAt);
  } catch (error) {
    await subject[Symbol.asyncDispose]();
    throw error;
  }
  return subject;
}
