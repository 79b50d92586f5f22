import type { Step } from './explore.ts';

export interface World {
  gateway: 'idle' | 'sent' | 'stored' | 'answered' | 'gone';
  /** Whether the call has been in the stream. */
  stored: boolean;
  /** Whether the caller had a 202. */
  accepted: boolean;
  /** In the stream, oldest first. At most one but for the moment between storing a retry and acknowledging. */
  messages: Message[];
  lastSequence: number;
  /** Attempts whose message ids the stream knows: it takes none of them twice, for two minutes. */
  knownRetries: number[];
  /** The end on record. */
  outcome: End | null;
  /** Times that an end was recorded. */
  ends: number;
  letter: boolean;
  /** Whether it is on record that the callback is taken care of. */
  callbackNoted: boolean;
  /** Ends that the receiver was told of. */
  told: End[];
  /** Invocations of each attempt. */
  invoked: number[];
  workers: Worker[];
  canceller: Canceller;
  /** Whether a worker began an attempt when it must not: in words. */
  offence: string | null;
  crashes: number;
  expiries: number;
  lostAcks: number;
}

export type End = 'succeeded' | 'failed' | 'cancelled';

export interface Message {
  sequence: number;
  attempt: number;
  waits: boolean;
  deliveries: number;
  /** The worker that has it, or had it when it died. */
  holder: number | null;
  /** It says that there was an attempt before. */
  isPutBack: boolean;
}

export interface Worker {
  /** What it does next. */
  does: 'nothing' | 'look for a newer message' | 'look for the end' | 'invoke' | 'settle' | After;
  sequence: number;
  attempt: number;
  /** What the function has said: its end, or that it wants to be tried again. */
  answer: End | 'again' | null;
  /** Whether it has found the end on record, instead of recording it. */
  resumes: boolean;
}

/** What is left when the end is on record. */
export type After = 'bury' | 'call back' | 'note the callback' | 'acknowledge';

export interface Canceller {
  does:
    | 'nothing'
    | 'look'
    | 'store its intent'
    | 'weigh'
    | 'remove'
    | 'record'
    | 'let go'
    | 'put back'
    | 'done'
    | 'dead';
  sequence: number;
  /** The attempt of the message that it has taken out of the queue. */
  removed: number | null;
  intent: boolean;
  /** What its client was told. */
  said: 'nothing' | 'cancelled' | 'ended';
}

/** Ways to do it, all false as it is done. */
export interface Variant {
  readonly answerBeforePubAck?: boolean;
  readonly ackBeforeInvoke?: boolean;
  readonly ackBeforeOutcome?: boolean;
  readonly uncheckedRetry?: boolean;
  readonly uncheckedOutcome?: boolean;
  /** The end is looked for before a newer message is. */
  readonly endBeforeNewer?: boolean;
  /** A redelivered call is invoked without a look. */
  readonly noLook?: boolean;
  /** A retry is invoked without a look, when it is delivered for the first time. */
  readonly blindRetry?: boolean;
  /** Who comes second acknowledges what the first one has still to complete. */
  readonly ackOnConflict?: boolean;
  readonly callbackBeforeOutcome?: boolean;
  readonly ackBeforeCallback?: boolean;
  /** A call that nobody has had yet is cancelled without being taken out of the queue first. */
  readonly cancelInPlace?: boolean;
  /** What was taken out of the queue of a call that has ended meanwhile stays out. */
  readonly keepRemoved?: boolean;
  /** A sweep takes whatever message of the call there is for the one that was to be cancelled. */
  readonly sweepBlindly?: boolean;
}

export interface Bounds {
  readonly maxRetries: number;
  readonly crashes: number;
  readonly expiries: number;
  readonly lostAcks: number;
  readonly cancel: boolean;
}

export function initialWorld(): World {
  const worker: Worker = { does: 'nothing', sequence: 0, attempt: 0, answer: null, resumes: false };
  return {
    gateway: 'idle',
    stored: false,
    accepted: false,
    messages: [],
    lastSequence: 0,
    knownRetries: [],
    outcome: null,
    ends: 0,
    letter: false,
    callbackNoted: false,
    told: [],
    invoked: [],
    workers: [worker, { ...worker }],
    canceller: { does: 'nothing', sequence: 0, removed: null, intent: false, said: 'nothing' },
    offence: null,
    crashes: 0,
    expiries: 0,
    lostAcks: 0,
  };
}

export function step(world: World, name: string, change: (next: World) => void): Step<World> {
  const next = clone(world);
  change(next);
  return { name, next };
}

/** Written out: there are some hundred thousand of them. */
function clone(world: World): World {
  return {
    ...world,
    messages: world.messages.map((message) => ({ ...message })),
    told: [...world.told],
    invoked: [...world.invoked],
    workers: world.workers.map((worker) => ({ ...worker })),
    canceller: { ...world.canceller },
  };
}

/** The sequence of the last message of the call; 0 where there is none. */
export function newest({ messages }: World): number {
  return messages.at(-1)?.sequence ?? 0;
}

export function append(next: World, attempt: number, waits: boolean, isPutBack = false): void {
  next.lastSequence += 1;
  next.messages.push({ sequence: next.lastSequence, attempt, waits, deliveries: 0, holder: null, isPutBack });
}

export function remove(next: World, sequence: number): void {
  next.messages = next.messages.filter((message) => message.sequence !== sequence);
}

export function rest(self: Worker): void {
  Object.assign(self, { does: 'nothing', sequence: 0, attempt: 0, answer: null, resumes: false });
}

export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) {
    throw new RangeError(`there is no item ${index}`);
  }
  return item;
}
