import type { Step } from './explore.ts';

/** A call of the batch. */
export interface BatchCall {
  /** `queued`: in its queue. `under way`: sent, and the broker may store it at any time. */
  place: 'none' | 'under way' | 'queued' | 'gone';
  holder: number | null;
  end: 'succeeded' | 'cancelled' | null;
  /** How often its end was counted. */
  marks: number;
  /** The answer to the caller. */
  accepted: boolean | null;
}

/** Why a worker counts the batch: the seal, or the mark of a call. */
export interface Notice {
  isThere: boolean;
  holder: number | null;
}

export interface BatchWorker {
  does: 'nothing' | 'record the end' | 'store the mark' | 'acknowledge' | 'count' | 'end' | 'call back' | 'drop';
  /** The call or the notice that the worker holds; the notice of the seal is the last one. */
  at: number;
}

export interface BatchWorld {
  readonly calls: BatchCall[];
  /** One for each call, and one for the seal. */
  readonly notices: Notice[];
  readonly workers: BatchWorker[];
  gateway: 'accept' | 'seal' | 'done' | 'dead';
  /** The number of calls that the sealed state says; null while the batch is being accepted. */
  total: number | null;
  /** Whether the seal was delivered and waits for its next round. */
  waits: boolean;
  ends: number;
  callbacks: number;
  crashes: number;
  cancels: number;
  losses: number;
  expiries: number;
  offence: string | null;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface Variant {
  /** Each attempt that ends counts. */
  readonly countAttempts?: boolean;
  /** The mark is stored before the outcome. */
  readonly markFirst?: boolean;
  /** A round of the seal looks for lost outcomes only, not for missing marks. */
  readonly forgetUnmarked?: boolean;
  /** A batch ends when all stored calls have ended, even if it is not sealed. */
  readonly endUnsealed?: boolean;
  /** The notice of the seal is acked although the batch goes on. */
  readonly dropSeal?: boolean;
  /** A call whose storing is undecided is refused, and may count nevertheless. */
  readonly refuseUnblocked?: boolean;
  /** The notice is acked before the callback is stored. */
  readonly dropFirst?: boolean;
}

export interface Bounds {
  readonly crashes: number;
  /** Cancels of single calls. */
  readonly cancels: number;
  /** Outcomes that the broker does not store. */
  readonly losses: number;
  /** Whether an older worker, which stores no marks, runs calls as well. */
  readonly older: boolean;
  /** Leases that run out while their worker continues. */
  readonly expiries: number;
  /** Whether PubAcks may be lost. */
  readonly undecided: boolean;
}

export function initialBatch(): BatchWorld {
  const call: BatchCall = { place: 'none', holder: null, end: null, marks: 0, accepted: null };
  const notice: Notice = { isThere: false, holder: null };
  const worker: BatchWorker = { does: 'nothing', at: 0 };
  return {
    calls: [call, { ...call }],
    notices: [notice, { ...notice }, { ...notice }],
    workers: [worker, { ...worker }],
    gateway: 'accept',
    total: null,
    waits: false,
    ends: 0,
    callbacks: 0,
    crashes: 0,
    cancels: 0,
    losses: 0,
    expiries: 0,
    offence: null,
  };
}

export function change(world: BatchWorld, name: string, then: (next: BatchWorld) => void): Step<BatchWorld> {
  const next = {
    ...world,
    calls: world.calls.map((call) => ({ ...call })),
    notices: world.notices.map((notice) => ({ ...notice })),
    workers: world.workers.map((worker) => ({ ...worker })),
  };
  then(next);
  return { name, next };
}

/** Changes one call, by its place in the batch. */
export function changeCall(
  world: BatchWorld,
  at: number,
  name: string,
  then: (call: BatchCall, next: BatchWorld) => void,
) {
  return change(world, `${name} ${at}`, (next) => {
    const call = next.calls[at];
    if (call !== undefined) {
      then(call, next);
    }
  });
}

/** Stores the mark of a call, which becomes a notice. */
export function mark(next: BatchWorld, at: number, { countAttempts }: Variant): void {
  const call = next.calls[at];
  if (call !== undefined) {
    call.marks = countAttempts ? call.marks + 1 : 1;
    next.notices[at] = { isThere: true, holder: null };
  }
}
