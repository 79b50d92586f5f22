import { copyOf, type Step } from './explore.ts';

/** The record of the body. */
interface BodyRecord {
  sequence: number;
  state: 'uploading' | 'stored' | 'condemned';
}

/** What a process does that removes the body unless it is needed: a sweeper, or the process that ends the call. */
export interface Remover {
  does:
    | 'nothing'
    | 'mark'
    | 'look at the queue'
    | 'look at the intent'
    | 'look at the dead letter'
    | 'remove'
    | 'purge';
  /** The record that it expects. */
  mark: number;
  /** A message of a call that has ended needs no body. */
  hasEnded: boolean;
}

export interface BodyWorld {
  sequence: number;
  record: BodyRecord | null;
  chunk: boolean;
  queued: boolean;
  /** The message of the call is on its way, and its gateway waits no longer. */
  onItsWay: boolean;
  /** It arrived after that. */
  cameLate: boolean;
  dead: boolean;
  /** A canceller has taken the message out of the queue, or is about to. */
  intent: boolean;
  outcome: 'none' | 'succeeded' | 'failed' | 'cancelled';
  generation: number;
  gateway: {
    does:
      | 'begin'
      | 'store a chunk'
      | 'finish'
      | 'store the call'
      | 'read the record'
      | 'take the mark away'
      | 'nothing';
    expects: number;
    /** It has sent a 202. */
    accepted: boolean;
  };
  worker: { does: 'nothing' | 'call the function' | 'store the dead letter' | 'ack' };
  operator: {
    does: 'nothing' | 'store the call' | 'read the record' | 'take the mark away' | 'remove the dead letter';
    expects: number;
  };
  canceller: {
    does:
      | 'nothing'
      | 'remove the message'
      | 'record the end'
      | 'put back'
      | 'read the record'
      | 'take the mark away'
      | 'drop';
    expects: number;
  };
  /** The sweeper, and the process that has ended the call. */
  removers: [Remover, Remover];
  sweeps: number;
  crashes: number;
  replays: number;
  cancels: number;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface BodyVariant {
  /** The remover looks, and removes without a mark. */
  readonly unmarked?: boolean;
  /** The gateway answers without a look at the record. */
  readonly unconfirmed?: boolean;
  /** A gateway that does not know whether the call is stored removes the body unless it finds the call. */
  readonly removedUncertain?: boolean;
  /** A replay does not look at the record. */
  readonly replayUnkept?: boolean;
  /** A cancel that comes too late puts the call back and does not look at the record. */
  readonly putBackUnkept?: boolean;
  /** The dead letter is looked for before the queue. */
  readonly deadFirst?: boolean;
  /** A cancel intent is no reference. */
  readonly intentIgnored?: boolean;
  /** A worker removes the body of a call that has failed as well. */
  readonly failedToo?: boolean;
  /** A worker removes the body before it has recorded the end. */
  readonly beforeEnd?: boolean;
  /** A worker removes the body of a replayed call without a look at its dead letter. */
  readonly replayedUnseen?: boolean;
  /** The last record of an upload replaces whatever is stored. */
  readonly finishUnexpected?: boolean;
  /** Chunks without a record are not looked for. */
  readonly straysStay?: boolean;
}

export interface BodyBounds {
  readonly sweeps: number;
  readonly crashes: number;
  readonly replays: number;
  readonly cancels: number;
  /** Whether the call may arrive after its gateway has given up waiting for an answer. Default: it does not. */
  readonly late?: boolean;
}

export function initialBody(): BodyWorld {
  const remover: Remover = { does: 'nothing', mark: 0, hasEnded: false };
  return {
    sequence: 0,
    record: null,
    chunk: false,
    queued: false,
    onItsWay: false,
    cameLate: false,
    dead: false,
    intent: false,
    outcome: 'none',
    generation: 0,
    gateway: { does: 'begin', expects: 0, accepted: false },
    worker: { does: 'nothing' },
    operator: { does: 'nothing', expects: 0 },
    canceller: { does: 'nothing', expects: 0 },
    removers: [remover, { ...remover }],
    sweeps: 0,
    crashes: 0,
    replays: 0,
    cancels: 0,
  };
}

/** A gateway that has not stood still until sweepers took its body for one that was left. */
export function mayBeLate({ record, removers }: BodyWorld): boolean {
  return record?.state === 'stored' && removers[0].does === 'nothing';
}

export function bodyStep(world: BodyWorld, name: string, then: (next: BodyWorld) => void): Step<BodyWorld> {
  const next = copyOf(world);
  then(next);
  renumber(next);
  return { name, next };
}

/** It matters only whether a process expects the record that exists. All others are -1, so that fewer worlds differ. */
function renumber(world: BodyWorld): void {
  const now = world.record?.sequence ?? Number.NaN;
  const rank = (sequence: number): number => (sequence === now ? 1 : -1);
  for (const each of [world.gateway, world.operator, world.canceller]) {
    each.expects = each.does === 'nothing' ? 0 : rank(each.expects);
  }
  for (const each of world.removers) {
    Object.assign(each, each.does === 'nothing' ? { mark: 0, hasEnded: false } : { mark: rank(each.mark) });
  }
  if (world.record !== null) {
    world.record.sequence = 1;
  }
  world.sequence = 1;
}

/** Replaces the record if it is the expected one; 0 for none. Returns whether it was. */
export function putRecord(next: BodyWorld, state: BodyRecord['state'], expected: number | 'any'): boolean {
  if (expected !== 'any' && (next.record?.sequence ?? 0) !== expected) {
    return false;
  }
  next.sequence += 1;
  next.record = { sequence: next.sequence, state };
  return true;
}

export function isWhole({ record }: BodyWorld): boolean {
  return record?.state === 'stored' || record?.state === 'condemned';
}

/** Whether the call needs its body, by what is stored: an end that is final does not. */
export function isNeeded({ queued, dead, intent, outcome }: BodyWorld): boolean {
  const mayRun = outcome === 'none' || outcome === 'failed';
  // A call that has failed and that a canceller has taken out comes back, to become a dead letter.
  return dead || (queued && mayRun) || (intent && outcome === 'failed');
}
