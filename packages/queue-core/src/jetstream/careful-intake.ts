import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../call.ts';
import { fingerprintOf, hashKey, type KeyRecord } from '../idempotency-key.ts';
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
  async accept(call: Call, { unique, key }: AcceptOptions, isOver: () => boolean): Promise<PublishResult | KeyResult> {
    if (key === undefined) {
      return this.#store(call, unique, isOver);
    }
    const hash = hashKey(call, key);
    for (;;) {
      const known = await this.#parts.known.findKey(hash);
      if (known !== undefined) {
        return judge(known, call);
      }
      const other = this.#underWay.get(hash);
      if (other === undefined) {
        break;
      }
      await other;
    }
    const storing = this.#storeWithKey(call, unique, hash, isOver);
    const done = storing.catch(() => {});
    this.#underWay.set(hash, done);
    void done.then(() => this.#underWay.delete(hash));
    return storing;
  }

  async #store(call: Call, unique: boolean, isOver: () => boolean): Promise<PublishResult> {
    if (unique && (await this.#parts.known.isKnown(call.id))) {
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
    hash: string,
    isOver: () => boolean,
  ): Promise<PublishResult | KeyResult> {
    const { atomic, windowMs, sleep } = this.#parts;
    const earlier = unique ? await this.#judgeId(call, hash) : undefined;
    if (earlier !== undefined) {
      return earlier;
    }
    const unannounced = await this.#announce(call);
    if (unannounced !== undefined) {
      return unannounced;
    }
    const group = [toKeyMessage(call, hash, windowMs), toCallMessage(call, unique)];
    const result = await untilDecided(() => atomic.publish(queueStream(call.queue), group, isOver), sleep);
    if (result.kind === 'stored' || result.reason !== 'conflict') {
      return result;
    }
    return this.#judgeConflict(call, unique, hash);
  }

  /** Undefined where the id that the client chose is not known. */
  async #judgeId(call: Call, hash: string): Promise<PublishResult | KeyResult | undefined> {
    const { known } = this.#parts;
    if (!(await known.isKnown(call.id))) {
      return undefined;
    }
    // Perhaps it is this very call, stored by another gateway since the key was looked for.
    const same = await known.findKey(hash);
    return same === undefined ? conflict : judge(same, call);
  }

  /**
   * Who has come first, with the key or with the id. Whoever is asked may not have heard of it as soon as the leader that
   * has refused.
   */
  async #judgeConflict(call: Call, unique: boolean, hash: string): Promise<PublishResult | KeyResult> {
    const { known, sleep = delay } = this.#parts;
    for (const waitMs of confirmMs) {
      await sleep(waitMs);
      const winner = await known.findKey(hash);
      if (winner !== undefined) {
        return judge(winner, call);
      }
      const earlier = unique ? await this.#judgeId(call, hash) : undefined;
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

/** What a call means that comes with a key that is known. */
function judge({ callId, startTime, notBefore, fingerprint }: KeyRecord, call: Call): KeyResult {
  return fingerprint === fingerprintOf(call)
    ? { kind: 'replayed', earlier: { callId, startTime, ...(notBefore !== undefined && { notBefore }) } }
    : { kind: 'key_reused' };
}
