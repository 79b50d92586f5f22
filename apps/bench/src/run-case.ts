import type { Absence, Case, Measurement, RunningSubject, Subject } from './scenario.ts';

/** All rounds of one subject, or the reason why there are no results. */
export interface SubjectResult {
  readonly subject: string;
  readonly rounds: readonly Measurement[];
  readonly absent?: string;
}

export interface CaseResult {
  readonly name: string;
  readonly subjects: readonly SubjectResult[];
}

interface Started {
  readonly subject: string;
  readonly running: RunningSubject | Absence;
  readonly rounds: Measurement[];
}

type OnMeasured = (subject: string, measurement: Measurement) => void;

/**
 * Starts all subjects of a case and measures them in turn. Each round begins with another one, so that other work of
 * the machine affects all of them alike.
 */
export async function runCase(
  { name, subjects }: Case,
  rounds: number,
  onMeasured: OnMeasured = () => {},
): Promise<CaseResult> {
  const started: Started[] = [];
  try {
    for (const subject of subjects) {
      started.push(await start(subject));
    }
    for (let round = 0; round < rounds; round++) {
      await measureAll(rotate(started, round), onMeasured);
    }
  } finally {
    await Promise.all(started.map(end));
  }
  return { name, subjects: started.map(toResult) };
}

async function start(subject: Subject): Promise<Started> {
  return { subject: subject.name, running: await subject.start(), rounds: [] };
}

async function end({ running }: Started): Promise<void> {
  if (!('absent' in running)) {
    await running[Symbol.asyncDispose]();
  }
}

async function measureAll(started: readonly Started[], onMeasured: OnMeasured): Promise<void> {
  for (const { subject, running, rounds } of started) {
    if (!('absent' in running)) {
      const measurement = await running.measure();
      rounds.push(measurement);
      onMeasured(subject, measurement);
    }
  }
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function toResult({ subject, running, rounds }: Started): SubjectResult {
  return { subject, rounds, ...('absent' in running && { absent: running.absent }) };
}
