import { copyOf, type Step } from './explore.ts';

/** The record of the stored response. */
interface ReplyRecord {
  sequence: number;
  state: 'uploading' | 'stored' | 'condemned';
  /** It names the step that has taken the response over. */
  handedOver: boolean;
}

/** The places where a response may be needed, in the order in which it moves. */
export const places = ['call', 'intent', 'outcome', 'callback', 'letter', 'step', 'letter of the step'] as const;

export type Place = (typeof places)[number];

/** A sweeper, or a process that has removed something that referred to the response. */
export interface Remover {
  does: 'nothing' | 'mark' | 'remove' | 'purge' | Place;
  /** The record that it expects. */
  mark: number;
}

/** One response that is stored apart, and everything that may refer to it. */
export interface ReplyWorld {
  sequence: number;
  record: ReplyRecord | null;
  chunk: boolean;
  /** The message of the call in its queue. */
  queued: boolean;
  intent: boolean;
  /** `other`: of another attempt, or a cancel. */
  outcome: 'none' | 'ours' | 'other' | 'erased' | 'forgotten';
  callback: boolean;
  /** The dead letter of the callback. */
  letter: boolean;
  /** The next step of the chain: `queued` until it has ended. */
  step: 'none' | 'queued' | 'ended';
  stepLetter: boolean;
  /** The worker that has made the attempt with this response. */
  worker: {
    does:
      | 'begin'
      | 'store a chunk'
      | 'finish'
      | 'record the end'
      | 'hand over'
      | 'store the step'
      | 'store the callback'
      | 'ack'
      | 'nothing';
    expects: number;
  };
  /** Another worker, which gets the call if the first one dies or loses its lease. */
  second: 'nothing' | 'record the end' | 'hand over' | 'store the step' | 'store the callback' | 'ack';
  canceller: 'nothing' | 'remove the message' | 'record the end' | 'put back' | 'drop';
  /** Delivers the callback. */
  sender: 'nothing' | 'store the letter' | 'ack';
  /** Runs the next step. */
  stepWorker: 'nothing' | 'store the letter' | 'ack';
  operator: {
    does: 'nothing' | 'read the record' | 'take the mark away' | 'remove the letter';
    what: 'callback' | 'step';
    expects: number;
  };
  eraser: 'nothing' | 'erase the letter' | 'erase the outcome';
  pruner: 'nothing' | 'remove the outcome';
  removers: [Remover, Remover];
  sweeps: number;
  crashes: number;
  replays: number;
  cancels: number;
}

/** Deliberate mistakes; none is in the real protocol. */
export interface ReplyVariant {
  /** Is not looked at. */
  readonly ignored?: Place;
  /** The order in which the places are looked at. */
  readonly order?: readonly Place[];
  /** A remover removes without a mark. */
  readonly unmarked?: boolean;
  /** A replay does not look at the record. */
  readonly replayUnkept?: boolean;
  /** The step is stored, and its record does not say so. */
  readonly notHandedOver?: boolean;
  /** The end of the step removes the response without a look. */
  readonly removedWithStep?: boolean;
  /** The last record of an upload replaces whatever is stored. */
  readonly finishUnexpected?: boolean;
  /** An erasure removes the response without a look. */
  readonly erasedUnseen?: boolean;
  /** A worker that does not find its own outcome removes the response without a look. */
  readonly refusedUnseen?: boolean;
}

export interface ReplyBounds {
  /** The call has a next step instead of a callback. */
  readonly chain: boolean;
  readonly sweeps: number;
  readonly crashes: number;
  readonly replays: number;
  readonly cancels: number;
}

export function initialReply(): ReplyWorld {
  return {
    sequence: 0,
    record: null,
    chunk: false,
    queued: true,
    intent: false,
    outcome: 'none',
    callback: false,
    letter: false,
    step: 'none',
    stepLetter: false,
    worker: { does: 'begin', expects: 0 },
    second: 'nothing',
    canceller: 'nothing',
    sender: 'nothing',
    stepWorker: 'nothing',
    operator: { does: 'nothing', what: 'callback', expects: 0 },
    eraser: 'nothing',
    pruner: 'nothing',
    removers: [
      { does: 'nothing', mark: 0 },
      { does: 'nothing', mark: 0 },
    ],
    sweeps: 0,
    crashes: 0,
    replays: 0,
    cancels: 0,
  };
}

export function replyStep(world: ReplyWorld, name: string, then: (next: ReplyWorld) => void): Step<ReplyWorld> {
  const next = copyOf(world);
  then(next);
  renumber(next);
  return { name, next };
}

/** It matters only whether a process expects the record that exists. All others are -1, so that fewer worlds differ. */
function renumber(world: ReplyWorld): void {
  const now = world.record?.sequence ?? Number.NaN;
  const rank = (sequence: number): number => (sequence === now ? 1 : -1);
  world.worker.expects =
    world.worker.does === 'store a chunk' || world.worker.does === 'finish' ? rank(world.worker.expects) : 0;
  world.operator.expects = world.operator.does === 'take the mark away' ? rank(world.operator.expects) : 0;
  for (const each of world.removers) {
    each.mark = each.does === 'nothing' ? 0 : rank(each.mark);
  }
  if (world.record !== null) {
    world.record.sequence = 1;
  }
  world.sequence = 1;
}

/** Replaces the record if it is the expected one; 0 for none. Returns whether it was. */
export function putRecord(next: ReplyWorld, state: ReplyRecord['state'], expected: number | 'any'): boolean {
  if (expected !== 'any' && (next.record?.sequence ?? 0) !== expected) {
    return false;
  }
  next.sequence += 1;
  next.record = { sequence: next.sequence, state, handedOver: next.record?.handedOver ?? false };
  return true;
}

export function isWhole({ record }: ReplyWorld): boolean {
  return record?.state === 'stored' || record?.state === 'condemned';
}

/** What can still ask for the response. */
export function isNeeded({ outcome, callback, letter, step, stepLetter }: ReplyWorld): boolean {
  return outcome === 'ours' || callback || letter || step === 'queued' || stepLetter;
}

/** Whether something at this place refers to the response, or may do so later. */
export function isAt(world: ReplyWorld, place: Place): boolean {
  const namesStep = world.record?.handedOver === true;
  switch (place) {
    case 'call':
      return world.queued;
    case 'intent':
      return world.intent;
    case 'outcome':
      return world.outcome === 'ours';
    case 'callback':
      return world.callback;
    case 'letter':
      return world.letter;
    case 'step':
      return namesStep && world.step === 'queued';
    case 'letter of the step':
      return namesStep && world.stepLetter;
  }
}
