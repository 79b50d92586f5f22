import { type Call, emptyBody, type GenerationKey, keyOf } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { type ExpiryDecision, expiryClaimCodec, expirySubject, expiryTimerCodec } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { expiryStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, retryWhileUndecided, setSchedule } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** What has been decided of a call that may expire. */
export type ClaimResult =
  | { readonly kind: 'decided'; readonly decision: ExpiryDecision; readonly byUs: boolean; readonly sequence: number }
  | Extract<PublishResult, { kind: 'refused' }>;

const hourMs = 60 * 60 * 1000;

/**
 * How long a decision is kept beyond the moment of expiry, in milliseconds. That a call has expired must be known for
 * as long as a worker may hold a delivery of it without having begun. That it has started is kept while it runs: it is
 * forgotten with the word, and the time is for words that got lost.
 */
const keptMs: Readonly<Record<ExpiryDecision, number>> = { expired: hourMs, started: 30 * 24 * hourMs };

/** The memory of calls that expire if they are not started in time. */
export class ExpiryStore {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #now: () => number;

  /** @param now Unix time in milliseconds */
  constructor(
    publisher: Pick<Publisher, 'publish'>,
    topology: Pick<QueueTopology, 'manager'>,
    now: () => number = Date.now,
  ) {
    this.#publisher = publisher;
    this.#topology = topology;
    this.#now = now;
  }

  /**
   * Has the server send word when the call expires. To be stored before the call: a word of a call that never came to be
   * is of no consequence, but a call without its word would wait for ever.
   * @param withinMs in this time the call is stored, or never will be
   */
  schedule(call: Call, expiresAt: number, withinMs: number): Promise<PublishResult> {
    const { function: name, queue } = call;
    const key = keyOf(call);
    const storedBy = this.#now() + withinMs;
    const result = new MessageHeaders();
    const timer = { v: 1 as const, ...key, function: name, queue, expiresAt, storedBy };
    result.set(expiryTimerCodec.header, expiryTimerCodec.encode(timer));
    setSchedule(result, expirySubject('due', key), expiresAt);
    return this.#publisher.publish({ subject: expirySubject('later', key), headers: result, body: emptyBody });
  }

  /**
   * Decides whether a call starts or expires, or tells what was decided before. Throws `QueueError`.
   * @param expiresAt of the call: Unix time in milliseconds
   */
  async claim(key: GenerationKey, expiresAt: number, decision: ExpiryDecision): Promise<ClaimResult> {
    const stored = await this.#decide(key, expiresAt, decision, 0);
    if (stored.kind === 'decided' || stored.reason !== 'conflict') {
      return stored;
    }
    const earlier = await this.#findDecision(expirySubject('claim', key));
    return earlier === undefined ? stored : { kind: 'decided', byUs: false, ...earlier };
  }

  /**
   * Decides anew what was decided as `started`: by whoever has decided so and has not begun, or by whoever goes on in the
   * place of a worker that may be dead. `conflict` means that somebody else has done so. Never throws.
   * @param sequence of the decision that this one takes the place of
   */
  revise(key: GenerationKey, expiresAt: number, decision: ExpiryDecision, sequence: number): Promise<ClaimResult> {
    return this.#decide(key, expiresAt, decision, sequence);
  }

  /** The call is gone: that it had started need not be known any more. Throws `QueueError`. */
  async forgetStart(key: GenerationKey): Promise<void> {
    const subject = expirySubject('claim', key);
    if ((await this.#findDecision(subject))?.decision === 'started') {
      try {
        await this.#topology.manager.streams.purge(expiryStream, { filter: subject });
      } catch (error) {
        throw asQueueError(error, 'what was decided of a call cannot be removed');
      }
    }
  }

  async #decide(
    key: GenerationKey,
    expiresAt: number,
    decision: ExpiryDecision,
    expectedSequence: number,
  ): Promise<ClaimResult> {
    const subject = expirySubject('claim', key);
    const result = new MessageHeaders();
    result.set(expiryClaimCodec.header, expiryClaimCodec.encode({ v: 1, decision }));
    const ttlMs = Math.max(0, expiresAt - this.#now()) + keptMs[decision];
    result.set('Nats-TTL', `${Math.ceil(ttlMs / 1000)}s`);
    expectLast(result, subject, expectedSequence);
    const stored = await retryWhileUndecided(() =>
      this.#publisher.publish({ subject, headers: result, body: emptyBody }),
    );
    return stored.kind === 'stored' ? { kind: 'decided', decision, byUs: true, sequence: stored.sequence } : stored;
  }

  async #findDecision(subject: string): Promise<{ decision: ExpiryDecision; sequence: number } | undefined> {
    const message = await lastMessage(this.#topology.manager, expiryStream, subject);
    const claim = message && expiryClaimCodec.decode(message.header.get(expiryClaimCodec.header));
    return message && claim && { decision: claim.decision, sequence: message.seq };
  }
}
