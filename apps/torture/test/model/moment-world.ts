import { copyOf, type Step } from './explore.ts';

/** The schedule, as it is stored. */
export interface Definition {
  sequence: number;
  /** Its moments are 1 and 2 in the first series, 11 and 12 in the second. */
  series: 1 | 2;
  /** Counts the changes of what it calls. */
  version: number;
}

/** A message of a moment. */
export interface MomentMessage {
  sequence: number;
  at: number;
  series: 1 | 2;
}

export interface MomentWorker {
  does: 'nothing' | 'read' | 'look' | 'store the call' | 'store the next' | 'ack';
  moment: MomentMessage | null;
  /** What it has read. */
  read: Definition | null;
  /** What the schedule was when it got the moment. */
  atReceipt: Omit<Definition, 'sequence'> | null;
}

export interface MomentWorld {
  sequence: number;
  definition: Definition;
  later: MomentMessage | null;
  due: (MomentMessage & { holder: number | null }) | null;
  workers: MomentWorker[];
  /** How often a call was stored for a moment. */
  calls: Record<number, number>;
  /** Moments whose calls the broker remembers. */
  known: number[];
  /** What the sweeper has read, if it has found no moment. */
  sweeper: Definition | null;
  damaged: boolean;
  crashes: number;
  expiries: number;
  changes: number;
  offence: string | null;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface MomentVariant {
  /** Each call gets a new id. */
  readonly underived?: boolean;
  /** The next moment replaces whatever is stored. */
  readonly noExpectation?: boolean;
  /** The schedule is taken from the message of the moment. */
  readonly notReadAgain?: boolean;
  /** Whether the moment is still the newest one is not looked at. */
  readonly noLook?: boolean;
  readonly ackFirst?: boolean;
  readonly nextFirst?: boolean;
  /** Only a next moment that is not due yet is looked for. */
  readonly laterAlone?: boolean;
  /** A change of the timing is stored without its first moment. */
  readonly changeAlone?: boolean;
}

export interface MomentBounds {
  readonly crashes: number;
  readonly expiries: number;
  /** How often an operator changes what is called; with `timing`, also once when. */
  readonly changes: number;
  readonly timing: boolean;
  /** Whether the broker forgets calls of moments that are passed. */
  readonly forget: boolean;
  /** Whether the message of a moment may get lost. */
  readonly damage: boolean;
}

export function initialMoments(): MomentWorld {
  const worker: MomentWorker = { does: 'nothing', moment: null, read: null, atReceipt: null };
  return {
    sequence: 2,
    definition: { sequence: 1, series: 1, version: 1 },
    later: { sequence: 2, at: 1, series: 1 },
    due: null,
    workers: [worker, { ...worker }],
    calls: {},
    known: [],
    sweeper: null,
    damaged: false,
    crashes: 0,
    expiries: 0,
    changes: 0,
    offence: null,
  };
}

/** The last moment of a series; none follows. */
export function lastOf(series: 1 | 2): number {
  return series === 1 ? 2 : 12;
}

/** The newest message of the schedule. */
export function newestOf({ definition, later, due }: MomentWorld): number {
  return Math.max(definition.sequence, later?.sequence ?? 0, due?.sequence ?? 0);
}

export function momentStep(world: MomentWorld, name: string, then: (next: MomentWorld) => void): Step<MomentWorld> {
  const next = copyOf(world);
  then(next);
  renumber(next);
  return { name, next };
}

/** Only the order of sequences matters: fewer worlds differ. */
function renumber(world: MomentWorld): void {
  const { definition, later, due, workers, sweeper } = world;
  const read = workers.flatMap(({ moment, read: seen }) => [moment, seen]);
  const numbered = [definition, later, due, sweeper, ...read].filter((each) => each !== null);
  const order = [...new Set(numbered.map(({ sequence }) => sequence))].toSorted((one, other) => one - other);
  const ranks = new Map(order.map((sequence, index) => [sequence, index + 1]));
  for (const each of new Set(numbered)) {
    each.sequence = ranks.get(each.sequence) ?? 0;
  }
  world.sequence = order.length;
}

export function putLater(next: MomentWorld, at: number, series: 1 | 2): void {
  next.sequence += 1;
  next.later = { sequence: next.sequence, at, series };
}
