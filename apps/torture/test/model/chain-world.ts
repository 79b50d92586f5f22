import type { Step } from './explore.ts';

export type End = 'succeeded' | 'failed' | 'cancelled';

/** A message, and the worker that holds it or held it when it died. */
export interface Held {
  isThere: boolean;
  holder: number | null;
}

export interface ChainWorker {
  does:
    | 'nothing'
    | 'invoke the first'
    | 'record the end'
    | 'hand on'
    | 'end the refused'
    | 'park'
    | 'end the second'
    | 'acknowledge';
  /** The message that the worker works on. */
  from: 'parent' | 'parked' | 'child' | 'none';
  /**
   * Whether the first call had been replayed when the worker took it: its ack and its end belong to that replay
   * generation.
   */
  isOfReplay: boolean;
  /** The answer of the first function. */
  answer: End | null;
}

export interface ChainWorld {
  /** The first call, in its queue. */
  parent: Held;
  parentEnd: End | null;
  wasReplayed: boolean;
  /** The hand-on, among the stored callbacks. */
  parked: Held;
  /**
   * What the broker has on record under the derived id, beside the second call: the step is stored, or never will be.
   */
  key: 'stored' | 'refused' | null;
  /** The second call, in its queue. */
  child: Held & { wasTaken: boolean };
  childEnd: End | null;
  childEnds: number;
  /** How often the second call was stored. */
  accepted: number;
  /** Whether the queue of the second call has room. */
  queue: 'new' | 'full' | 'open';
  workers: ChainWorker[];
  canceller: 'look' | 'record' | 'done';
  /** The answer to the client that cancels. */
  said: 'nothing' | 'cancelled' | 'ended' | 'unheard' | 'unasked';
  offence: string | null;
  crashes: number;
  expiries: number;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface Variant {
  /** The second call gets a new id each time. */
  readonly underived?: boolean;
  readonly ackFirst?: boolean;
  /** The second call is stored before the end of the first one. */
  readonly handOnFirst?: boolean;
  /** A step that has no message yet is ended, but can still be stored. */
  readonly cancelUnrefused?: boolean;
  /** A worker that may not store the step leaves its end to the gateway. */
  readonly forgetRefused?: boolean;
}

export interface Bounds {
  readonly crashes: number;
  readonly expiries: number;
  readonly cancel: boolean;
  /** Whether the queue of the second call may be full for a while. */
  readonly full: boolean;
}

export function initialChain(): ChainWorld {
  const worker: ChainWorker = { does: 'nothing', from: 'none', isOfReplay: false, answer: null };
  return {
    parent: { isThere: true, holder: null },
    parentEnd: null,
    wasReplayed: false,
    parked: { isThere: false, holder: null },
    key: null,
    child: { isThere: false, holder: null, wasTaken: false },
    childEnd: null,
    childEnds: 0,
    accepted: 0,
    queue: 'new',
    workers: [worker, { ...worker }],
    canceller: 'look',
    said: 'nothing',
    offence: null,
    crashes: 0,
    expiries: 0,
  };
}

export function change(world: ChainWorld, name: string, then: (next: ChainWorld) => void): Step<ChainWorld> {
  const next = {
    ...world,
    parent: { ...world.parent },
    parked: { ...world.parked },
    child: { ...world.child },
    workers: world.workers.map((worker) => ({ ...worker })),
  };
  then(next);
  return { name, next };
}

/** Takes a message out of its stream. */
export function letGo(next: ChainWorld, from: ChainWorker['from']): void {
  if (from !== 'none') {
    Object.assign(next[from], { isThere: false, holder: null });
  }
}
