/** The figure that a scenario measures of each subject. */
export interface Figure {
  /** With its unit: `p99 ms`. */
  readonly name: string;
  /** Whether a column shows it as a ratio to the reference. */
  readonly compared?: boolean;
}

/** A value for each figure; a figure that cannot be measured here is left out. */
export type Measurement = Readonly<Record<string, number>>;

/** Running processes that can be measured again and again. Disposing ends them. */
export interface RunningSubject extends AsyncDisposable {
  measure(): Promise<Measurement>;
}

/** A subject that this machine cannot run. */
export interface Absence {
  /** The reason, and what would help. */
  readonly absent: string;
}

/** One of the compared systems: asyncfn, or a reference. */
export interface Subject {
  readonly name: string;
  start(): Promise<RunningSubject | Absence>;
}

/** Subjects under one set of conditions, measured in turn. */
export interface Case {
  /** `64 connections, 256 B` */
  readonly name: string;
  readonly subjects: readonly Subject[];
}

export interface Scenario {
  /** The name that filters match. */
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** The subject that the others are compared with. */
  readonly reference: string;
  cases(scale: Scale): readonly Case[];
}

/** How much is measured. `smoke` shows that a scenario runs; its numbers mean nothing. */
export type ScaleName = 'smoke' | 'quick' | 'full';

export interface Scale {
  readonly name: ScaleName;
  /** How often each subject is measured. */
  readonly rounds: number;
  /** The time before the measurement counts, in milliseconds. */
  readonly warmUpMs: number;
  /** The time that counts, in milliseconds. */
  readonly durationMs: number;
  /** How long a process counts as cold after its start, in milliseconds. */
  readonly coldMs: number;
  /** How long calls are put into a queue that is then drained, in milliseconds. */
  readonly fillMs: number;
  /** Connections of callers, or slots of a worker. */
  readonly degrees: readonly number[];
  /** Connections of callers, if a scenario is about something else. */
  readonly connections: number;
  /** Size of the body of a call, in bytes. */
  readonly bodySizes: readonly number[];
  /** Number of functions in the scenario with many functions. */
  readonly functionCounts: readonly number[];
  /** Calls that wait in the scenario of a long queue. */
  readonly backlog: number;
  /** Of them, the calls that are looked up and cancelled in a round. */
  readonly lookUps: number;
  /** The share of their calls and their time that dispatch scenarios use: 1 is all of it. */
  readonly dispatchShare: number;
}

const allOfThem = {
  degrees: [1, 16, 64, 256],
  connections: 64,
  bodySizes: [256, 16 * 1024],
  functionCounts: [1, 100, 1_000],
};

export const scales: Readonly<Record<ScaleName, Scale>> = {
  smoke: {
    name: 'smoke',
    rounds: 1,
    warmUpMs: 50,
    durationMs: 300,
    coldMs: 300,
    fillMs: 100,
    backlog: 2_000,
    lookUps: 20,
    dispatchShare: 0.1,
    degrees: [16],
    connections: 8,
    bodySizes: [256],
    functionCounts: [1, 20],
  },
  quick: {
    ...allOfThem,
    name: 'quick',
    rounds: 3,
    warmUpMs: 500,
    durationMs: 1_500,
    coldMs: 10_000,
    fillMs: 1_500,
    backlog: 50_000,
    lookUps: 200,
    dispatchShare: 1,
  },
  full: {
    ...allOfThem,
    name: 'full',
    rounds: 5,
    warmUpMs: 1_000,
    durationMs: 4_000,
    coldMs: 10_000,
    fillMs: 4_000,
    backlog: 1_000_000,
    lookUps: 500,
    dispatchShare: 1,
  },
};
