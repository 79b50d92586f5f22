import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../call.ts';
import { type CallAddress, ownerOf } from '../call-identity.ts';
import { fingerprintOf, hashDerivedId, hashKey, type KeyRecord } from '../idempotency-key.ts';
import { type PublishResult, refused } from '../publish-result.ts';
import { queueStream } from '../subjects.ts';
import type { AtomicPublisher } from './atomic-publisher.ts';
import { toCallMessage, toKeyMessage } from './call-message.ts';
import type { ExpiryStore } from './expiry-store.ts';
import type { KnownCalls } from './known-calls.ts';
import type { Publisher } from './publisher.ts';
import { untilDecided } from './until-decided.ts';

/** A key that is known: nothing was stored. */
export type KeyResult =
  /** It came with the same call before. */
  | { readonly kind: 'replayed'; readonly earlier: EarlierCall }
  /** It came with another call before. */
  | { readonly kind: 'key_reused' };

/** The call that a key came with first, whatever has become of it. */
export type EarlierCall = Pick<KeyRecord, 'callId' | 'startTime' | 'notBefore'>;

export interface AcceptOptions {
  /** Refuse with `conflict` when a call of this id is alive or its outcome is kept: for ids that a client chose. */
  readonly unique: boolean;
  /** `Idempotency-Key`: a call that came with it before is not stored a second time. */
  readonly key?: string | undefined;
  /**
   * The id says all that the call is: one that came with it before is this one, whatever its body, and is not stored a
   * second time. Not together with `key`.
   */
  readonly derived?: boolean;
}

export interface CarefulIntakeParts {
  readonly known: Pick<KnownCalls, 'findKey' | 'isKnown'>;
  readonly publisher: Pick<Publisher, 'publish' | 'timeoutMs'>;
  readonly atomic: Pick<AtomicPublisher, 'publish'>;
  readonly expiries: Pick<ExpiryStore, 'announce'>;
  /** How long a key is remembered, in milliseconds; rounded up to whole seconds. */
  readonly windowMs: number;
  /** Default: really waits. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/**
 * Stores calls that need more than a publish. With an id or a key that a client chose, what was there before is
 * looked for first, in all queues. What comes at the same moment is kept out by the leader of the stream, in one step
 * with storing; and a key is stored in one step with its call, so it is never remembered without it (P1).
 */
export class CarefulIntake {
  readonly #parts: CarefulIntakeParts;
  /** Keys whose calls this process is storing. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(parts: CarefulIntakeParts) {
    this.#parts = parts;
  }

  /**
   * Throws `QueueError` when the broker cannot be asked.
   * @param isOver whether nobody waits for the answer any more: then nothing is stored
   */
  async accept(call: Call, options: AcceptOptions, isOver: () => boolean): Promise<PublishResult | KeyResult> {
    const { unique } = options;
    const identity = identityOf(call, options, this.#parts.windowMs);
    if (identity === undefined) {
      return this.#store(call, unique, isOver);
    }
    const { hash } = identity;
    for (;;) {
      const known = await this.#parts.known.findKey(hash);
      if (known !== undefined) {
        return identity.judge(known);
      }
      const other = this.#underWay.get(hash);
      if (other === undefined) {
        break;
      }
      await other;
    }
    const storing = this.#storeWithKey(call, unique, identity, isOver);
    const done = storing.catch(() => {});
    this.#underWay.set(hash, done);
    void done.then(() => this.#underWay.delete(hash));
    return storing;
  }

  async #store(call: Call, unique: boolean, isOver: () => boolean): Promise<PublishResult> {
    if (unique && (await this.#parts.known.isKnown(toAddress(call)))) {
      return conflict;
    }
    const { publisher, sleep } = this.#parts;
    const publish = async (): Promise<PublishResult> => {
      return isOver() ? late : publisher.publish(toCallMessage(call, unique));
    };
    return (await this.#announce(call)) ?? untilDecided(publish, sleep);
  }

  /** Undefined where the server will send word when the call expires, or where it never does. */
  async #announce(call: Call): Promise<PublishResult | undefined> {
    const { expiries, publisher } = this.#parts;
    if (call.expiresAt === undefined) {
      return undefined;
    }
    const result = await expiries.announce(call, call.expiresAt, publisher.timeoutMs + graceMs);
    return result.kind === 'refused' ? result : undefined;
  }

  async #storeWithKey(
    call: Call,
    unique: boolean,
    identity: Identity,
    isOver: () => boolean,
  ): Promise<PublishResult | KeyResult> {
    const { atomic, sleep } = this.#parts;
    const earlier = unique ? await this.#judgeId(call, identity) : undefined;
    if (earlier !== undefined) {
      return earlier;
    }
    const unannounced = await this.#announce(call);
    if (unannounced !== undefined) {
      return unannounced;
    }
    const group = [toKeyMessage(call, identity.hash, identity.windowMs), toCallMessage(call, unique)];
    const result = await untilDecided(() => atomic.publish(queueStream(call.queue), group, isOver), sleep);
    if (result.kind === 'stored' || result.reason !== 'conflict') {
      return result;
    }
    return this.#judgeConflict(call, unique, identity);
  }

  /** Undefined where the id that the client chose is not known. */
  async #judgeId(call: Call, { hash, judge }: Identity): Promise<PublishResult | KeyResult | undefined> {
    const { known } = this.#parts;
    if (!(await known.isKnown(toAddress(call)))) {
      return undefined;
    }
    // Perhaps it is this very call, stored by another gateway since the key was looked for.
    const same = await known.findKey(hash);
    return same === undefined ? conflict : judge(same);
  }

  /**
   * Who has come first, with the key or with the id. Whoever is asked may not have heard of it as soon as the leader that
   * has refused.
   */
  async #judgeConflict(call: Call, unique: boolean, identity: Identity): Promise<PublishResult | KeyResult> {
    const { known, sleep = delay } = this.#parts;
    for (const waitMs of confirmMs) {
      await sleep(waitMs);
      const winner = await known.findKey(identity.hash);
      if (winner !== undefined) {
        return identity.judge(winner);
      }
      const earlier = unique ? await this.#judgeId(call, identity) : undefined;
      if (earlier !== undefined) {
        return earlier;
      }
    }
    return refused('overloaded', 'what has come with the same key or id was not stored, or is forgotten');
  }
}

/** Waits before the looks for a message that is about to be confirmed. */
const confirmMs = [0, 10, 50, 250] as const;
/** For clocks that differ, and messages that are on their way when the time is up. */
const graceMs = 1_000;
const conflict = refused('conflict', 'a call of this id is known');
const late = refused('timeout', 'the time was up before the call was sent');

/** An id belongs to its submitter: others may use the same. */
function toAddress({ id, submitter }: Call): CallAddress {
  return { callId: id, owner: ownerOf(submitter) };
}

/** By what a call is known again that came before. */
interface Identity {
  /** What it is remembered under. */
  readonly hash: string;
  /** For how long, in milliseconds. */
  readonly windowMs: number;
  /** What the call means when something is remembered. */
  readonly judge: (earlier: KeyRecord) => KeyResult;
}

/** A callback is tried for ten hours, and may be replayed by hand after that. */
const leastDerivedMs = 24 * 60 * 60 * 1000;

/** Undefined for a call that is another one each time that it comes. */
function identityOf(call: Call, { key, derived = false }: AcceptOptions, windowMs: number): Identity | undefined {
  if (derived) {
    return { hash: hashDerivedId(call.id), windowMs: Math.max(windowMs, leastDerivedMs), judge: replay };
  }
  return key === undefined
    ? undefined
    : { hash: hashKey(call, key), windowMs, judge: (earlier) => judge(earlier, call) };
}

/** What a call means that comes with a key that is known. */
function judge(earlier: KeyRecord, call: Call): KeyResult {
  return earlier.fingerprint === fingerprintOf(call) ? replay(earlier) : { kind: 'key_reused' };
}

function replay({ callId, startTime, notBefore }: KeyRecord): KeyResult {
  return { kind: 'replayed', earlier: { callId, startTime, ...(notBefore !== undefined && { notBefore }) } };
}
