import { copyOf, type Step } from './explore.ts';

/** The state of a key, as it is stored. */
export interface KeyState {
  version: number;
  /** The calls that have their turn and have not ended. */
  running: number[];
  /** The last call that got its turn: what waits at or before it is a left-over. */
  cursor: number;
  paused: boolean;
  /** Whether no call has its turn, and the broker removes it at some moment. */
  expires: boolean;
}

/** A call that has its turn: ready, or waiting for its retry. */
export interface TurnMessage {
  kind: 'ready' | 'later';
  attempt: number;
  wasDelivered: boolean;
  isHeld: boolean;
  /** The version of the state that was stored last when this message was. */
  under: number;
  /** The version of the state that names this call alone, and has nothing else to keep; 0 for none. */
  alone: number;
}

/** One process on its way to give turns: see `FlowTurns` in queue-core. */
export interface Advance {
  does:
    | 'end alone'
    | 'read'
    | 'read on'
    | 'finish turns'
    | 'remove what had its turn'
    | 'write'
    | 'begin turns'
    | 'look again'
    | 'remove those that wait no more';
  /** Calls that have ended, or are gone. */
  release: number[];
  seen: KeyState | null;
  /** Those that were seen to wait. */
  waits: number[];
  heads: number[];
  /** The version of the state that names its call alone; 0 for none. */
  alone: number;
  /** What an operator changes with it. */
  control: 'pause' | 'resume' | null;
  /** Whether no other process makes the change again if this one dies. */
  isUnrepeated: boolean;
  /** After it, notices up to this one are removed; 0 for none. */
  notice: number;
  /** The version of the state that it has stored; 0 for none. */
  wrote: number;
}

export interface FlowWorker {
  does: 'nothing' | 'run' | 'advance' | 'ack';
  call: number;
  attempt: number;
  advance: Advance | null;
}

export interface FlowCanceller {
  does: 'nothing' | 'look' | 'store the end' | 'remove' | 'abort' | 'advance' | 'gone';
  /** Whether its intent is stored: then its work is finished after a crash. */
  intent: boolean;
  advance: Advance | null;
}

/** Pauses the key at some moment, and resumes it at a later one. */
export interface FlowOperator {
  does: 'nothing' | 'pause' | 'wait' | 'resume' | 'gone';
  advance: Advance | null;
}

/** A gateway that gives a call its turn as it accepts it, without a place: if the key is idle. */
export interface FastPath {
  does: 'nothing' | 'read on' | 'write' | 'wait' | 'give the turn back';
  /** The number of its call; 0 for none. */
  call: number;
  seen: KeyState | null;
  waits: number[];
  advance: Advance | null;
}

/** A sweeper that looks for a call that has its turn by the state, and no message. */
export interface Suspicion {
  does: 'look' | 'free';
  call: number;
  /** The version of the state that it has stored before it looked. */
  under: number;
}

/** One key, with calls 1, 2, ... in the order in which they were accepted. */
export interface FlowWorld {
  /** How many were sent to the gateway, and to that of the fast path. */
  posted: number;
  fastPosted: number;
  /** The latest number of a call. */
  accepted: number;
  /** Numbers whose calls were not confirmed, or have got another number. */
  lost: number[];
  /** Pairs of calls of which the second was accepted before the first was confirmed: either may be the first. */
  rivals: [number, number][];
  fast: FastPath;
  /** The ready copy that a gateway has sent on the fast path, and that has not arrived. */
  sent: { call: number; under: number; isAlone: boolean } | null;
  suspicion: Suspicion | null;
  /** How often the sweeper has looked for a call while its gateway was about to make it ready. */
  hasted: number;
  /** The places of calls that wait, and the copies that wait there. A process that dies may leave both. */
  waits: number[];
  copies: number[];
  /** The newest notice; 0 for none. */
  notice: number;
  state: KeyState | null;
  version: number;
  /** Messages of calls that have their turn, by call. */
  turns: Record<number, TurnMessage>;
  ends: Record<number, 'done' | 'cancelled'>;
  /** Calls in the order in which they began. */
  begun: number[];
  limit: number;
  limitChanged: boolean;
  /** A gateway that has accepted a call gives turns afterwards. */
  gateway: { notice: number; advance: Advance | null };
  workers: FlowWorker[];
  canceller: FlowCanceller;
  operator: FlowOperator;
  /** Whether the operator has paused the key and not resumed it. */
  isPaused: boolean;
  sweeper: Advance | null;
  crashes: number;
  cancelCrashes: number;
  offence: string | null;
}

/** Deliberate mistakes; all are false in the real protocol, except `waitsFirst`. */
export interface FlowVariant {
  /** Those that wait are read before the state. The two are read at once, so either may be the older one. */
  readonly waitsFirst?: boolean;
  /** A call is stored without a notice. */
  readonly noNotice?: boolean;
  /** The notice is removed before the turns are given. */
  readonly noticeFirst?: boolean;
  /** The state is replaced, whatever it is. */
  readonly blindState?: boolean;
  /** A turn is given even if the call does not wait any more. */
  readonly blindCall?: boolean;
  /** After a turn has become free, those who wait are not looked for again. */
  readonly noSecondLook?: boolean;
  /** Calls become ready before the state says that they have their turn. */
  readonly readyFirst?: boolean;
  /** Calls that the state gives their turn, and that are not ready yet, are taken for ones that had it. */
  readonly noFinish?: boolean;
  /** All calls that the state has passed become ready, also those that have ended. */
  readonly finishAll?: boolean;
  /** A call that could not become ready, because it is gone, keeps its turn. */
  readonly keepsGone?: boolean;
  /** A call that became ready before this turn was stored counts as having it. */
  readonly keepsOld?: boolean;
  /** Of a left-over, only the place is removed, unless the copy that waits is the newest message of its call. */
  readonly leavesCopy?: boolean;
  /** Left-overs are taken for calls that wait. */
  readonly noCursor?: boolean;
  readonly ackFirst?: boolean;
  /** The turn of a call ends when it is stored for its retry. */
  readonly retryReleases?: boolean;
  /** A cancel does not end the turn. */
  readonly cancelKeeps?: boolean;
  /** A cancel ends the turn before the worker has aborted the call. */
  readonly cancelUnaborted?: boolean;
  /** The state of a key without running calls is removed although it is paused. */
  readonly dropPaused?: boolean;
  /** Workers do not look for turns that a crash has interrupted. */
  readonly noStateSweep?: boolean;
  /** What an operator says is stored so that the state expires, before those that wait are looked for once more. */
  readonly expiresUnseen?: boolean;
  /** A key is resumed without giving turns. */
  readonly resumeOnly?: boolean;
  /** A cancel removes the ready copy of a call, and leaves the one that waits. */
  readonly cancelKeepsWait?: boolean;
  /** A cancel does not look whether the waiting call has got its turn in between. */
  readonly cancelBlind?: boolean;
  /** The fast path does not look for calls that wait. */
  readonly fastBlind?: boolean;
  /** The fast path stores its ready copy whatever the state is by then. */
  readonly fastUnfenced?: boolean;
  /** A call that could not become ready on the fast path keeps the turn, and waits as well. */
  readonly fastKeeps?: boolean;
  /** The fast path replaces the state, whatever it is. */
  readonly fastBlindState?: boolean;
  /** No process looks for calls that have their turn and no message. */
  readonly noSuspicion?: boolean;
  /** The sweeper does not store the state before it looks for a call that is gone. */
  readonly sweepUntouched?: boolean;
  /** The sweeper takes the turn of a call that is gone, whatever the state is by then. */
  readonly sweepBlind?: boolean;
  /** The end of a call that was alone replaces the state, whatever it is. */
  readonly aloneBlind?: boolean;
  /** A call on the fast path counts as alone although others run. */
  readonly aloneAmongOthers?: boolean;
}

export interface FlowBounds {
  readonly calls: number;
  readonly workers: number;
  /** How often a gateway, a worker or an operator's gateway dies, and how often a canceller. */
  readonly crashes: number;
  readonly cancelCrashes: number;
  /** Whether the first attempt of call 1 is followed by a retry. */
  readonly retry: boolean;
  /** A call that is cancelled at some moment; 0 for none. */
  readonly cancel: number;
  /** Whether an operator pauses the key and resumes it. */
  readonly pause: boolean;
  readonly limit: number;
  /** The limit changes to this one at some moment; 0 for never. */
  readonly newLimit: number;
  /** Whether a process may be so slow that the state of a key at rest is removed meanwhile. */
  readonly slow: boolean;
  /** How many calls a second gateway accepts on the fast path, besides the others. */
  readonly fast: number;
  /** How often the sweeper may look for a call while its gateway is about to make it ready. */
  readonly hasty: number;
}

/** One call, one worker, and nothing that goes wrong. */
export const calmFlow: FlowBounds = {
  calls: 1,
  workers: 1,
  crashes: 0,
  cancelCrashes: 0,
  retry: false,
  cancel: 0,
  pause: false,
  limit: 1,
  newLimit: 0,
  slow: false,
  fast: 0,
  hasty: 0,
};

export function initialFlow({ workers, limit }: FlowBounds): FlowWorld {
  return {
    posted: 0,
    fastPosted: 0,
    accepted: 0,
    lost: [],
    rivals: [],
    fast: noFastPath(),
    sent: null,
    suspicion: null,
    hasted: 0,
    waits: [],
    copies: [],
    notice: 0,
    state: null,
    version: 0,
    turns: {},
    ends: {},
    begun: [],
    limit,
    limitChanged: false,
    gateway: { notice: 0, advance: null },
    workers: Array.from({ length: workers }, () => ({ does: 'nothing', call: 0, attempt: 0, advance: null })),
    canceller: { does: 'nothing', intent: false, advance: null },
    operator: { does: 'nothing', advance: null },
    isPaused: false,
    sweeper: null,
    crashes: 0,
    cancelCrashes: 0,
    offence: null,
  };
}

export function noFastPath(): FastPath {
  return { does: 'nothing', call: 0, seen: null, waits: [], advance: null };
}

export function flowStep(world: FlowWorld, name: string, then: (next: FlowWorld) => void): Step<FlowWorld> {
  const next = copyOf(world);
  then(next);
  renumber(next);
  return { name, next };
}

/** Only the order of versions matters: fewer worlds differ. */
function renumber(world: FlowWorld): void {
  const { state, gateway, fast, sent, suspicion, workers, canceller, operator, sweeper } = world;
  const advances = [
    gateway.advance,
    fast.advance,
    ...workers.map(({ advance }) => advance),
    canceller.advance,
    operator.advance,
    sweeper,
  ];
  const states = [state, fast.seen, ...advances.map((each) => each?.seen ?? null)].filter((each) => each !== null);
  const written = advances.filter((each) => each !== null);
  const turns = [...Object.values(world.turns), ...(sent ? [sent] : []), ...(suspicion ? [suspicion] : [])];
  const versions = [
    world.version,
    ...states.map(({ version }) => version),
    ...written.map(({ wrote }) => wrote),
    ...turns.map(({ under }) => under),
    ...written.map(({ alone }) => alone),
    ...Object.values(world.turns).map(({ alone }) => alone),
  ];
  const order = [...new Set(versions)].filter((version) => version > 0).toSorted((one, other) => one - other);
  const ranks = new Map(order.map((version, index) => [version, index + 1]));
  const rank = (version: number): number => ranks.get(version) ?? 0;
  for (const each of new Set(states)) {
    each.version = rank(each.version);
  }
  for (const each of written) {
    each.wrote = rank(each.wrote);
  }
  for (const each of turns) {
    each.under = rank(each.under);
  }
  for (const each of [...written, ...Object.values(world.turns)]) {
    each.alone = rank(each.alone);
  }
  world.version = rank(world.version);
  // Workers are alike.
  world.workers = world.workers
    .map((worker) => ({ worker, text: JSON.stringify(worker) }))
    .toSorted((one, other) => (one.text < other.text ? -1 : 1))
    .map(({ worker }) => worker);
}

/** The calls whose functions run at this moment. */
export function runningNow({ workers }: FlowWorld): number[] {
  return [...new Set(workers.flatMap(({ does, call }) => (does === 'run' ? [call] : [])))];
}
