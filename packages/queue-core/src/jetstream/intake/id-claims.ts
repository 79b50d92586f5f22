import { randomUUID } from 'node:crypto';
import { type Call, emptyBody, identityOf, ownerOf } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { type Claim, claimCodec } from '../../records/index.ts';
import { expiryStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, retryWhileUndecided } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** A claim that this process has. */
export interface OwnClaim {
  readonly kind: 'claimed';
  /** Releases the claim: nothing was stored, nor will be. Never throws. */
  release(): Promise<unknown>;
}

export interface WantedClaim {
  readonly subject: string;
  /**
   * Calls of one queue share the claim, because the queue's stream stores what is claimed beside the call and so takes
   * only one of them. True for keys; a call that has ended leaves nothing of its id in the stream.
   */
  readonly sharedInQueue: boolean;
}

export type ClaimResult =
  | OwnClaim
  /** Another call has it. Pass `sequence` to take it over. */
  | { readonly kind: 'held'; readonly by: Claim; readonly sequence: number }
  /** It has just been forgotten: try again. */
  | { readonly kind: 'gone' }
  | Extract<PublishResult, { kind: 'refused' }>;

export interface IdClaimsDependencies {
  readonly publisher: Pick<Publisher, 'publish' | 'timeoutMs'>;
  readonly topology: Pick<QueueTopology, 'manager'>;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Default: really waits. */
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

/** Clocks differ by this much, and messages are on their way for this long, in milliseconds. */
const graceMs = 1_000;
/** The broker may still store a publish that has timed out for this long, in milliseconds. */
const underWayMs = 120_000;

/**
 * Claims ids and keys that may be used once, before the gateway looks whether they are known. JetStream checks "not in
 * use" for one stream only, and two calls of an id may go to two streams: so all claims are in one stream, and if two
 * gateways claim the same id at once, one comes first.
 */
export class IdClaims {
  readonly #deps: IdClaimsDependencies;
  readonly #now: () => number;

  constructor(deps: IdClaimsDependencies) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** Throws `QueueError`. */
  async take(wanted: WantedClaim, call: Call, over = 0): Promise<ClaimResult> {
    const { subject } = wanted;
    const claim = { v: 1 as const, ...identityOf(call), queue: call.queue, nonce: randomUUID() };
    const stored = await this.#store(subject, claim, over);
    if (stored.kind === 'stored') {
      return this.#own(wanted, claim, stored.sequence);
    }
    return stored.reason === 'conflict' ? this.#judge(wanted, call, claim) : stored;
  }

  /** Decides by the claim that was in the way. */
  async #judge(wanted: WantedClaim, call: Call, mine: Claim): Promise<ClaimResult> {
    const { subject, sharedInQueue } = wanted;
    const { manager } = this.#deps.topology;
    const message = await lastMessage(manager, expiryStream, subject, {
      owner: ownerOf(call.submitter),
      size: 'small',
    });
    const by = message && claimCodec.decode(message.header.get(claimCodec.header));
    if (message === undefined || by === undefined) {
      return { kind: 'gone' };
    }
    if (by.nonce === mine.nonce) {
      return this.#own(wanted, mine, message.seq); // its confirmation got lost
    }
    const ageMs = this.#now() - message.time.getTime();
    const isOfQueue = by.queue === call.queue;
    if (isOfQueue && sharedInQueue && ageMs < underWayMs) {
      return { kind: 'claimed', release: async () => {} };
    }
    const isFree = by.released === true || (isOfQueue && ageMs > this.#storedWithinMs);
    return isFree ? this.take(wanted, call, message.seq) : { kind: 'held', by, sequence: message.seq };
  }

  /**
   * The time that a gateway has to store its call. If a gateway is late nevertheless, the queue's stream takes only one
   * of the two calls: so after that time only a call of the same queue takes the claim over.
   */
  get #storedWithinMs(): number {
    return this.#deps.publisher.timeoutMs + graceMs;
  }

  #own({ subject, sharedInQueue }: WantedClaim, claim: Claim, sequence: number): OwnClaim {
    // Another call that is being stored may share it.
    const release = async (): Promise<unknown> =>
      sharedInQueue ? undefined : this.#store(subject, { ...claim, released: true }, sequence);
    return { kind: 'claimed', release };
  }

  #store(subject: string, claim: Claim, over: number): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(claimCodec.header, claimCodec.encode(claim));
    result.set('Nats-TTL', `${Math.ceil((this.#storedWithinMs + underWayMs) / 1000)}s`);
    expectLast(result, subject, over);
    const message = { subject, headers: result, body: emptyBody };
    return retryWhileUndecided(() => this.#deps.publisher.publish(message), this.#deps.sleep);
  }
}
