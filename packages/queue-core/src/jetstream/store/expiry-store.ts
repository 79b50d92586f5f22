import { type Call, emptyBody, type GenerationKey, keyOf } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { type ExpiryDecision, expiryClaimCodec, expirySubject, expiryTimerCodec } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { expiryStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, retryWhileUndecided, setSchedule } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** The decision about a call that may expire. */
export type ClaimResult =
  | { readonly kind: 'decided'; readonly decision: ExpiryDecision; readonly byUs: boolean; readonly sequence: number }
  | Extract<PublishResult, { kind: 'refused' }>;

const hourMs = 60 * 60 * 1000;

/**
 * How long a decision is kept after the moment of expiry, in milliseconds. `expired` must be known for as long as a
 * worker may hold a delivery of the call without having begun. `started` is kept while the call runs: it is removed
 * with the timer, and the time is for timers that got lost.
 */
const keptMs: Readonly<Record<ExpiryDecision, number>> = { expired: hourMs, started: 30 * 24 * hourMs };

/**
 * Stores the timers of calls that expire if they are not started in time, and the decision whether they have started.
 */
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
   * Schedules the expiry timer of a call. Call it before storing the call: a timer without a call does no harm, but a
   * call without its timer would wait for ever.
   * @param withinMs after this time the call is stored, or never will be
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
   * Decides whether a call starts or expires, or returns the earlier decision. Throws `QueueError`.
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
   * Replaces the decision `started`: for the worker that has decided so and has not begun, or for one that takes over
   * from a worker that may be dead. `conflict` means that another process has done so. Never throws.
   * @param sequence of the decision that this one replaces
   */
  revise(key: GenerationKey, expiresAt: number, decision: ExpiryDecision, sequence: number): Promise<ClaimResult> {
    return this.#decide(key, expiresAt, decision, sequence);
  }

  /** Whether it is on record that the call has started. Throws `QueueError`. */
  async hasStarted(key: GenerationKey): Promise<boolean> {
    return (await this.#findDecision(expirySubject('claim', key)))?.decision === 'started';
  }

  /** The call is gone: removes the decision that it had started. Throws `QueueError`. */
  async forgetStart(key: GenerationKey): Promise<void> {
    const subject = expirySubject('claim', key);
    if (await this.hasStarted(key)) {
      try {
        await this.#topology.manager.streams.purge(expiryStream, { filter: subject });
      } catch (error) {
        throw asQueueError(error, 'the start decision of a call cannot be removed');
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
    const message = await lastMessage(this.#topology.manager, expiryStream, subject, { size: 'small' });
    const claim = message && expiryClaimCodec.decode(message.header.get(expiryClaimCodec.header));
    return message && claim && { decision: claim.decision, sequence: message.seq };
  }
}
