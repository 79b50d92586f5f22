import type { Step } from './explore.ts';

export interface World {
  gateway: 'idle' | 'sent' | 'stored' | 'answered' | 'gone';
  /** Whether the call has been in the stream. */
  stored: boolean;
  /** Whether the caller got a 202. */
  accepted: boolean;
  /** The messages in the stream, oldest first. At most one, except between storing a retry and acking the attempt. */
  messages: Message[];
  lastSequence: number;
  /** Attempts whose message ids the stream knows: for two minutes it stores none of them twice. */
  knownRetries: number[];
  /** The end on record; null before there is one, and once it is forgotten. */
  outcome: End | null;
  /** The first end that was ever on record. */
  ended: End | null;
  /** Whether the end has been on record for the shortest time that ends are kept. */
  endIsOld: boolean;
  /** A stored callback waits for its receiver. */
  callbackWaits: boolean;
  /** The pruner's next step. */
  pruner: 'nothing' | 'remove';
  /** How often an end was recorded. */
  ends: number;
  letter: boolean;
  /** Whether the record says that the callback is taken care of. */
  callbackNoted: boolean;
  /** The ends that the receiver learned. */
  told: End[];
  /** How often each attempt was invoked. */
  invoked: number[];
  workers: Worker[];
  canceller: Canceller;
  /** Set if a worker began an attempt that it must not begin: what was wrong, in words. */
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
  /** The worker that holds it, or held it when it died. */
  holder: number | null;
  /** The delivery says that there was one before. */
  isPutBack: boolean;
}

export interface Worker {
  /** The worker's next step. */
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
  /** The answer of the function: its end, or that it asks for a retry. */
  answer: End | 'again' | null;
  /** Whether the worker found an end on record, instead of recording it. */
  resumes: boolean;
  /** Whether it has seen lately, by a delivery or a lookup, that the call had no end and its message existed. */
  isSure: boolean;
  /** Whether the stream of intents has told it that a gateway is cancelling the call. */
  knowsIntent: boolean;
}

/** The steps left to do once the end is on record. */
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
  /** Whether it has checked for the end lately. */
  isSure: boolean;
  /** The answer to its client. */
  said: 'nothing' | 'cancelled' | 'ended';
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface Variant {
  readonly answerBeforePubAck?: boolean;
  readonly ackBeforeInvoke?: boolean;
  readonly ackBeforeOutcome?: boolean;
  readonly uncheckedRetry?: boolean;
  readonly uncheckedOutcome?: boolean;
  /** A worker checks for the end before it checks for a newer message. */
  readonly endBeforeNewer?: boolean;
  /** A worker invokes a redelivered call without a check. */
  readonly noLook?: boolean;
  /** A worker invokes a retry at its first delivery without a check. */
  readonly blindRetry?: boolean;
  /** The worker that comes second acks what the first one has still to complete. */
  readonly ackOnConflict?: boolean;
  readonly callbackBeforeOutcome?: boolean;
  readonly ackBeforeCallback?: boolean;
  /** A call that no worker has taken yet is cancelled without being taken out of the queue first. */
  readonly cancelInPlace?: boolean;
  /** Workers follow the intents to cancel, and check for the end of a call that has one. */
  readonly followIntents?: boolean;
  /** A cancel stores the end and then removes the message, without an intent before. */
  readonly withoutIntent?: boolean;
  /** The message of a call that has ended meanwhile is not put back after it was taken out of the queue. */
  readonly keepRemoved?: boolean;
  /** A sweep takes any message of the call for the one that was to be cancelled. */
  readonly sweepBlindly?: boolean;
  /** Ends are forgotten by their age alone. */
  readonly forgetByAge?: boolean;
  /** Ends are forgotten although there is an intent to cancel the call. */
  readonly forgetBesideIntent?: boolean;
  /** A worker records an end without a check, however long ago the call was delivered. */
  readonly recordUnsure?: boolean;
  /** That check looks for the message first and for the end second. */
  readonly messageBeforeEnd?: boolean;
  /** A worker invokes a redelivered call although its message has gone meanwhile. */
  readonly invokeGone?: boolean;
  /** A worker that stood still with a waiting call begins it without a check. */
  readonly beginUnsure?: boolean;
  /** A removed message is put back while its end is old. */
  readonly putBackBesideOld?: boolean;
  /** A gateway records the end `cancelled` without a check, however long ago it looked the call up. */
  readonly cancelUnsure?: boolean;
}

export interface Bounds {
  readonly maxRetries: number;
  readonly crashes: number;
  readonly expiries: number;
  readonly lostAcks: number;
  readonly cancel: boolean;
  /** An attempt that begins while its canceller is at work, which then stops it, breaks no rule. */
  readonly untilAnswered?: boolean;
  /** How often enough time passes for an end to be forgotten. Default 0: ends are kept for ever. */
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

/** Written out, because there are some hundred thousand of them. */
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

/** The sequence of the last message of the call; 0 if none is left. */
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
