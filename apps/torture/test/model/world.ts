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
  /** The end on record; null before there is one, and once it is forgotten. */
  outcome: End | null;
  /** The first end that was ever on record. */
  ended: End | null;
  /** Whether the end on record has been there for as long as ends are kept at least. */
  endIsOld: boolean;
  /** A stored callback waits for its receiver. */
  callbackWaits: boolean;
  /** What whoever forgets ends does next. */
  pruner: 'nothing' | 'remove';
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
  lapses: number;
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
  does:
    | 'nothing'
    | 'begin'
    | 'look for a newer message'
    | 'look for the end'
    | 'invoke'
    | 'settle'
    | 'look for its message'
    | After;
  sequence: number;
  attempt: number;
  /** What the function has said: its end, or that it wants to be tried again. */
  answer: End | 'again' | null;
  /** Whether it has found the end on record, instead of recording it. */
  resumes: boolean;
  /** Whether it has seen lately, by a delivery or a look, that the call had no end and its message was there. */
  isSure: boolean;
  /** Whether the stream of intents has told it that a gateway is cancelling the call. */
  knowsIntent: boolean;
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
    | 'store the end again'
    | 'put back'
    | 'done'
    | 'dead';
  sequence: number;
  /** The attempt of the message that it has taken out of the queue. */
  removed: number | null;
  intent: boolean;
  /** Whether it has looked for the end lately. */
  isSure: boolean;
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
  /** Workers follow the intents to cancel, and look for the end of a call that is in one. */
  readonly followIntents?: boolean;
  /** A cancel is the end and then the removal, without an intent before. */
  readonly withoutIntent?: boolean;
  /** What was taken out of the queue of a call that has ended meanwhile stays out. */
  readonly keepRemoved?: boolean;
  /** A sweep takes whatever message of the call there is for the one that was to be cancelled. */
  readonly sweepBlindly?: boolean;
  /** Ends are forgotten by their age alone. */
  readonly forgetByAge?: boolean;
  /** Ends are forgotten although there is an intent to cancel the call. */
  readonly forgetBesideIntent?: boolean;
  /** An end is recorded without a look, however long ago the call came. */
  readonly recordUnsure?: boolean;
  /** That look is for the message first and for the end second. */
  readonly messageBeforeEnd?: boolean;
  /** A redelivered call is invoked although its message has gone meanwhile. */
  readonly invokeGone?: boolean;
  /** A call that has waited in the hands of a worker that stood still is begun without a look. */
  readonly beginUnsure?: boolean;
  /** What was removed is put back while its end is old. */
  readonly putBackBesideOld?: boolean;
  /** An end `cancelled` is recorded without a look, however long ago the call was looked for. */
  readonly cancelUnsure?: boolean;
}

export interface Bounds {
  readonly maxRetries: number;
  readonly crashes: number;
  readonly expiries: number;
  readonly lostAcks: number;
  readonly cancel: boolean;
  /** An attempt that begins while its canceller is at work, which then stops it, is no offence. */
  readonly untilAnswered?: boolean;
  /** Times that so much time passes that an end may be forgotten. Default 0: ends are kept for ever. */
  readonly lapses?: number;
}

export function initialWorld(): World {
  const worker: Worker = {
    does: 'nothing',
    sequence: 0,
    attempt: 0,
    answer: null,
    resumes: false,
    isSure: false,
    knowsIntent: false,
  };
  return {
    gateway: 'idle',
    stored: false,
    accepted: false,
    messages: [],
    lastSequence: 0,
    knownRetries: [],
    outcome: null,
    ended: null,
    endIsOld: false,
    callbackWaits: false,
    pruner: 'nothing',
    ends: 0,
    letter: false,
    callbackNoted: false,
    told: [],
    invoked: [],
    workers: [worker, { ...worker }],
    canceller: { does: 'nothing', sequence: 0, removed: null, intent: false, isSure: false, said: 'nothing' },
    offence: null,
    crashes: 0,
    expiries: 0,
    lostAcks: 0,
    lapses: 0,
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
  Object.assign(self, { does: 'nothing', sequence: 0, attempt: 0, answer: null, resumes: false, isSure: false });
}

export function record(next: World, end: End): void {
  next.outcome = end;
  next.ended ??= end;
  next.endIsOld = false;
  next.ends += 1;
}

export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) {
    throw new RangeError(`there is no item ${index}`);
  }
  return item;
}
