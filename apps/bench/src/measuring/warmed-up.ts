import type { Absence, RunningSubject } from '../scenario.ts';

/**
 * The subject, after a measurement that does not count: a process that has just started needs several times the CPU
 * time for a call that it needs later. If that measurement fails, the subject is ended.
 */
export async function warmedUp(subject: RunningSubject | Absence): Promise<RunningSubject | Absence> {
  if ('absent' in subject) {
    return subject;
  }
  try {
    await subject.measure();
  } catch (error) {
    await subject[Symbol.asyncDispose]();
    throw error;
  }
  return subject;
}
