import { setTimeout as delay } from 'node:timers/promises';
import { addressOf, type Call, type CallAddress, needsTurn, ownerOf, queueStream } from '../../call/index.ts';
import { mayBeStored, type PublishResult, refused } from '../../publish-result.ts';
import {
  type Claim,
  fingerprintOf,
  hashDerivedId,
  hashKey,
  idClaimSubject,
  type KeyRecord,
  keyClaimSubject,
} from '../../records/index.ts';
import { retry } from '../../retry.ts';
import { toFlowGroup } from '../flows/index.ts';
import { retryWhileUndecided } from '../messages/index.ts';
import type { AtomicPublisher, Publisher } from '../publish/index.ts';
import type { ExpiryStore } from '../store/index.ts';
import { toCallMessage, toKeyMessage } from './call-message.ts';
import type { DuplicateLookup } from './duplicate-lookup.ts';
import type { IdClaims, OwnClaim, WantedClaim } from './id-claims.ts';

/** The key is known: nothing was stored. */
export type KeyResult =
  /** It came with the same call before. */
  | { readonly kind: 'replayed'; readonly earlier: EarlierCall }
  /** It came with another call before. */
  | { readonly kind: 'key_reused' };

/** The first call with the key, whatever its state. */
type EarlierCall = Pick<KeyRecord, 'callId' | 'startTime' | 'notBefore'>;

export interface AcceptOptions {
  /** Refuse with `conflict` if a call of this id is active or its outcome is kept: for ids that a client chose. */
  readonly unique: boolean;
  /** `Idempotency-Key`: a second call with it is not stored. */
  readonly key?: string | undefined;
  /**
   * The id identifies the call completely: a second call with it is the same one, whatever its body, and is not stored.
   * Not together with `key`.
   */
  readonly derived?: boolean;
  /** Of the call, see `fingerprintOf`, if its body is stored apart. Default: computed from the body. */
  readonly fingerprint?: string | undefined;
  /** How long a derived id is remembered, in milliseconds. Default: as long as a key, and at least a day. */
  readonly derivedMs?: number;
  /** Its place among the calls of its flow key that are accepted at the same time. Default: any. */
  readonly place?: PlaceInOrder | undefined;
}

/** The place of a call among others: they are checked all at once, and stored in their order. */
interface PlaceInOrder {
  /** Resolves when the call before it is on its way to the broker, or will not be stored. */
  readonly before: Promise<unknown>;
  /** Called when this one is on its way. */
  readonly onSent: () => void;
}

export interface ConditionalEnqueueDependencies {
  readonly claims: Pick<IdClaims, 'take'>;
  readonly known: Pick<DuplicateLookup, 'findKey' | 'isKnown' | 'forgetQueues'>;
  readonly publisher: Pick<Publisher, 'publish' | 'timeoutMs'>;
  readonly atomic: Pick<AtomicPublisher, 'publish'>;
  readonly expiries: Pick<ExpiryStore, 'schedule'>;
  /** How long a key is remembered, in milliseconds; rounded up to whole seconds. */
  readonly windowMs: number;
  /** Default: really waits. */
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
}

/** An id or a key that may be used once, and the check whether it was. */
interface UniqueClaim extends WantedClaim {
  /** The answer to the call if the id or key was used; undefined if not. Throws `QueueError`. */
  readonly check: () => Promise<PublishResult | KeyResult | undefined>;
}

/**
 * Stores calls that need more than a publish. The gateway claims an id or key that may be used once, looks for it in
 * all queues and among the outcomes, and then stores the call: whichever gateways and queues two calls of one id or key
 * go to, the second finds the claim or the call of the first. A key is stored in one step with its call, so it never
 * exists without it (P1).
 */
export class ConditionalEnqueue {
  readonly #deps: ConditionalEnqueueDependencies;
  /** Keys whose calls this process is storing: further calls with such a key wait here, not at the broker. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(deps: ConditionalEnqueueDependencies) {
    this.#deps = deps;
  }

  /**
   * Throws `QueueError` when the broker cannot be asked.
   * @param isOver whether the caller no longer waits for the answer: then nothing is stored
   */
  async accept(call: Call, options: AcceptOptions, isOver: () => boolean): Promise<PublishResult | KeyResult> {
    const identity = identityOf(call, options, this.#deps.windowMs);
    if (identity === undefined) {
      return this.#accept(call, options, identity, isOver);
    }
    const { hash } = identity;
    for (let other = this.#underWay.get(hash); other !== undefined; other = this.#underWay.get(hash)) {
      await other;
      const earlier = await this.#judgeKey(call, identity);
      if (earlier !== undefined) {
        return earlier;
      }
    }
    const storing = this.#accept(call, options, identity, isOver);
    const done = storing.catch(() => {}).then(() => this.#underWay.delete(hash));
    this.#underWay.set(hash, done);
    return storing;
  }

  async #accept(
    call: Call,
    { unique, place }: AcceptOptions,
    identity: Identity | undefined,
    isOver: () => boolean,
  ): Promise<PublishResult | KeyResult> {
    const claims: OwnClaim[] = [];
    let result: PublishResult | KeyResult | undefined;
    for (const once of this.#uniqueClaims(call, unique, identity)) {
      const claimed = await this.#claim(once, call, isOver);
      if (claimed.kind !== 'claimed') {
        result = claimed;
        break;
      }
      claims.push(claimed);
      result = await once.check();
      if (result !== undefined) {
        break;
      }
    }
    result ??= await this.#store(call, { unique, place }, identity, isOver);
    if (isNotStored(result)) {
      await Promise.all(claims.map((claim) => claim.release()));
    }
    return result;
  }

  /** Always the key first: otherwise two calls could each hold what the other one waits for. */
  #uniqueClaims(call: Call, unique: boolean, identity: Identity | undefined): UniqueClaim[] {
    const claims: UniqueClaim[] = [];
    if (identity !== undefined) {
      const { hash } = identity;
      claims.push({ subject: keyClaimSubject(hash), sharedInQueue: true, check: () => this.#judgeKey(call, identity) });
    }
    if (unique) {
      const subject = idClaimSubject(call.id, call.submitter);
      claims.push({ subject, sharedInQueue: false, check: () => this.#judgeId(call, identity) });
    }
    return claims;
  }

  /** If another call has the claim, checks again: its gateway is about to store it, or has died. */
  async #claim(once: UniqueClaim, call: Call, isOver: () => boolean): Promise<OwnClaim | PublishResult | KeyResult> {
    const { claims, publisher, sleep = delay, monotonicNow = () => performance.now() } = this.#deps;
    // The other half is for storing the call.
    const end = monotonicNow() + publisher.timeoutMs / 2;
    let over = 0;
    for (let tries = 0; !isOver() && monotonicNow() < end; tries++) {
      const taken = await claims.take(once, call, over);
      if (taken.kind === 'claimed' || taken.kind === 'refused') {
        return taken;
      }
      const earlier = await once.check();
      if (earlier !== undefined) {
        return earlier;
      }
      this.#deps.known.forgetQueues();
      over = taken.kind === 'held' && (await this.#isUsed(taken.by)) ? taken.sequence : 0;
      if (over === 0) {
        await sleep(claimMs[tries] ?? longestClaimMs);
      }
    }
    return refused('overloaded', 'a call of the same id or key is being stored, or its gateway has died');
  }

  /** Whether the claim's call was stored and still exists, although the id or key is forgotten. */
  #isUsed(by: Claim): Promise<boolean> {
    return this.#deps.known.isKnown(addressOf(by));
  }

  async #store(
    call: Call,
    { unique, place }: Pick<AcceptOptions, 'unique' | 'place'>,
    identity: Identity | undefined,
    isOver: () => boolean,
  ): Promise<PublishResult | KeyResult> {
    const { atomic, publisher, sleep } = this.#deps;
    const unscheduled = await this.#scheduleExpiry(call);
    if (unscheduled !== undefined) {
      return unscheduled;
    }
    const message = toCallMessage(call, unique);
    const ofCall = needsTurn(call) && call.notBefore === undefined ? toFlowGroup(call, message) : [message];
    if (identity === undefined && ofCall.length > 1) {
      await place?.before;
      const publish = (): Promise<PublishResult> => atomic.publish(queueStream(call.queue), ofCall, isOver);
      const storing = retryWhileUndecided(publish, sleep);
      place?.onSent();
      return storing;
    }
    if (identity === undefined) {
      const publish = async (): Promise<PublishResult> => (isOver() ? late : publisher.publish(message));
      return retryWhileUndecided(publish, sleep);
    }
    const group = [toKeyMessage(call, identity.hash, identity.windowMs, identity.fingerprint), ...ofCall];
    const result = await retryWhileUndecided(() => atomic.publish(queueStream(call.queue), group, isOver), sleep);
    const isConflict = result.kind === 'refused' && result.reason === 'conflict';
    return isConflict ? this.#judgeConflict(call, unique, identity) : result;
  }

  /** Undefined if the expiry timer is stored, or the call has none. */
  async #scheduleExpiry(call: Call): Promise<PublishResult | undefined> {
    const { expiries, publisher } = this.#deps;
    if (call.expiresAt === undefined) {
      return undefined;
    }
    const result = await expiries.schedule(call, call.expiresAt, publisher.timeoutMs + graceMs);
    return result.kind === 'refused' ? result : undefined;
  }

  /** Undefined where nothing has come with the key. */
  async #judgeKey(call: Call, { hash, judge }: Identity): Promise<KeyResult | undefined> {
    const earlier = await this.#deps.known.findKey(hash, ownerOf(call.submitter));
    return earlier && judge(earlier);
  }

  /** Undefined if no call has the id that the client chose. */
  async #judgeId(call: Call, identity: Identity | undefined): Promise<PublishResult | KeyResult | undefined> {
    if (!(await this.#deps.known.isKnown(toAddress(call)))) {
      return undefined;
    }
    // Perhaps it is this very call, stored by another gateway since the key was looked for.
    return (identity && (await this.#judgeKey(call, identity))) ?? conflict;
  }

  /**
   * Finds the earlier call with the key or the id. The server that answers may know of it later than the leader that
   * refused.
   */
  async #judgeConflict(call: Call, unique: boolean, identity: Identity): Promise<PublishResult | KeyResult> {
    const { known, sleep = delay } = this.#deps;
    const judge = async (): Promise<PublishResult | KeyResult | undefined> => {
      known.forgetQueues();
      return (await this.#judgeKey(call, identity)) ?? (unique ? await this.#judgeId(call, identity) : undefined);
    };
    const earlier = await retry(judge, { waits: confirmMs, until: (found) => found !== undefined, sleep });
    return earlier ?? refused('overloaded', 'what has come with the same key or id was not stored, or is forgotten');
  }
}

/** Waits between the first tries to claim what another call has. */
const claimMs = [5, 10, 20, 50, 100, 250] as const;
/** Wait between further tries: its gateway has died, or everything is slow. */
const longestClaimMs = 500;
/** Waits between the looks for a message that is about to be confirmed. */
const confirmMs = [10, 50, 250] as const;
/** Allows for clocks that differ, and for messages that are on their way when the time is up. */
const graceMs = 1_000;
const conflict = refused('conflict', 'a call of this id is known');
const late = refused('timeout', 'the time was up before the call was sent');

/** Whether it is certain that the call is not stored and never will be. */
function isNotStored(result: PublishResult | KeyResult): boolean {
  return result.kind !== 'stored' && !(result.kind === 'refused' && mayBeStored(result.reason));
}

/** An id belongs to its submitter: others may use the same. */
function toAddress({ id, submitter }: Call): CallAddress {
  return { callId: id, owner: ownerOf(submitter) };
}

/** Identifies a call that was sent before. */
interface Identity {
  /** The token that it is stored under. */
  readonly hash: string;
  /** For how long, in milliseconds. */
  readonly windowMs: number;
  /** Of the call; undefined if it is computed from the body. */
  readonly fingerprint?: string | undefined;
  /** Decides what a call means if a record of the same hash exists. */
  readonly judge: (earlier: KeyRecord) => KeyResult;
}

/** A callback is tried for ten hours, and an operator may replay it after that. */
const minDerivedMs = 24 * 60 * 60 * 1000;

/** Undefined for a call that is a new one each time that it is sent. */
function identityOf(call: Call, options: AcceptOptions, windowMs: number): Identity | undefined {
  const { key, fingerprint, derived = false, derivedMs = Math.max(windowMs, minDerivedMs) } = options;
  if (derived) {
    return { hash: hashDerivedId(call.id), windowMs: derivedMs, judge: replay };
  }
  return key === undefined
    ? undefined
    : {
        hash: hashKey(call, key),
        windowMs,
        fingerprint,
        judge: (earlier) => judge(earlier, fingerprint ?? fingerprintOf(call)),
      };
}

/** The result of a call with a known key. */
function judge(earlier: KeyRecord, fingerprint: string): KeyResult {
  return earlier.fingerprint === fingerprint ? replay(earlier) : { kind: 'key_reused' };
}

function replay({ callId, startTime, notBefore }: KeyRecord): KeyResult {
  return { kind: 'replayed', earlier: { callId, startTime, ...(notBefore !== undefined && { notBefore }) } };
}
