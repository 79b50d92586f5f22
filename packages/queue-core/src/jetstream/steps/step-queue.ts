import { type Call, type CallIdentity, emptyBody, keySubject, queueStream } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import type { FunctionConfig } from '../../functions/index.ts';
import { type PublishResult, refused } from '../../publish-result.ts';
import { hashDerivedId, type KeyRecord, keyRecordCodec } from '../../records/index.ts';
import { retry } from '../../retry.ts';
import { toCallMessage, toKeyMessage } from '../intake/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, retryWhileUndecided } from '../messages/index.ts';
import { AtomicPublisher, type Outgoing, type Publisher } from '../publish/index.ts';

export interface StepQueueDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'hasLane' | 'ensureFunction' | 'forgetQueue'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly lookup: (name: string) => Pick<FunctionConfig, 'concurrency'> | undefined;
}

/** The result of storing a step. */
export type StepResult =
  | { readonly kind: 'stored' }
  /** It was stored before; it may have ended since. */
  | { readonly kind: 'known' }
  /** It was cancelled before it was stored. */
  | { readonly kind: 'cancelled' }
  | Extract<PublishResult, { kind: 'refused' }>;

/** A call that is identified completely by its id. */
type Step = CallIdentity & { readonly queue: string };

/**
 * For how long a step is known by its id, in milliseconds. A worker that stores it a second time does so within the
 * lease of the call before, or when a stopped system runs again.
 */
const knownMs = 24 * 60 * 60 * 1000;
/** Waits between the looks for a record that is in the way, and that the server which answers does not know yet. */
const lookMs = [10, 50, 250] as const;

/**
 * Stores the calls that follow in chains. The derived id of a step is stored in one atomic batch with its call, so that
 * a second worker, or the same one after a crash, finds it even if the step has ended. A cancel stores the id alone:
 * then the step can no longer be stored. Either is refused by the stream's leader if the other came first. Never
 * throws.
 */
export class StepQueue {
  readonly #deps: StepQueueDependencies;
  readonly #atomic: AtomicPublisher;

  constructor(deps: StepQueueDependencies) {
    this.#deps = deps;
    this.#atomic = new AtomicPublisher(deps.publisher);
  }

  /** Stores the call unless it was stored, or cancelled, before. */
  async store(call: Call): Promise<StepResult> {
    const { topology } = this.#deps;
    const step = { callId: call.id, queue: call.queue };
    return this.#guarded(async () => {
      await this.#openLane(call);
      const group = [toKeyMessage(call, hashDerivedId(call.id), knownMs), toCallMessage(call, true)];
      const result = await retryWhileUndecided(() => this.#atomic.publish(queueStream(call.queue), group));
      if (result.kind === 'refused') {
        return result.reason === 'conflict' ? await this.#judge(step) : this.#refusedBy(call.queue, result);
      }
      if (!topology.hasLane(call.queue, call.function)) {
        await this.#openLane(call); // it was removed because it was empty; now it is not (P2)
      }
      return { kind: 'stored' };
    });
  }

  /** Keeps the step from being stored, unless it was stored before: `known`. */
  async cancel(step: Step): Promise<StepResult> {
    return this.#guarded(async () => {
      const message = toCancelMessage(step);
      const result = await retryWhileUndecided(() => this.#deps.publisher.publish(message));
      if (result.kind === 'refused') {
        return result.reason === 'conflict' ? await this.#judge(step) : this.#refusedBy(step.queue, result);
      }
      return { kind: 'cancelled' };
    });
  }

  async #guarded(work: () => Promise<StepResult>): Promise<StepResult> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof QueueError)) {
        throw error;
      }
      return refused(error.code === 'consumer_limit' ? 'too_many_functions' : 'unavailable', error.message);
    }
  }

  /** Without a consumer no worker would receive the call (P2), so the consumer comes first. */
  async #openLane({ function: name, queue }: Call): Promise<void> {
    const { topology, lookup } = this.#deps;
    if (!topology.hasLane(queue, name)) {
      await topology.ensureFunction({ name, queue, concurrency: lookup(name)?.concurrency });
    }
  }

  /** The stream may have been deleted: the next try ensures it. */
  #refusedBy(queue: string, result: Extract<PublishResult, { kind: 'refused' }>): StepResult {
    if (result.reason === 'unavailable') {
      this.#deps.topology.forgetQueue(queue);
    }
    return result;
  }

  /** Says whether the id that is taken belongs to the step itself or to its cancel. Throws `QueueError`. */
  async #judge({ callId, queue }: Pick<Step, 'callId' | 'queue'>): Promise<StepResult> {
    const find = (): Promise<KeyRecord | undefined> => this.#find(callId, queue);
    const found = await retry(find, { waits: lookMs, until: (record) => record !== undefined });
    if (found === undefined) {
      return refused('overloaded', 'the step is in conflict with a message that cannot be found');
    }
    return { kind: found.cancelled ? 'cancelled' : 'known' };
  }

  async #find(callId: string, queue: string): Promise<KeyRecord | undefined> {
    const subject = keySubject(queue, hashDerivedId(callId));
    const message = await lastMessage(this.#deps.topology.manager, queueStream(queue), subject);
    return message && keyRecordCodec.decode(message.header.get(keyRecordCodec.header));
  }
}

function toCancelMessage({ callId, startTime, queue }: Step): Outgoing {
  const subject = keySubject(queue, hashDerivedId(callId));
  const record: KeyRecord = { v: 1, callId, startTime, fingerprint: '', cancelled: true };
  const headers = new MessageHeaders();
  headers.set(keyRecordCodec.header, keyRecordCodec.encode(record));
  headers.set('Nats-TTL', `${knownMs / 1000}s`);
  expectLast(headers, subject, 0);
  return { subject, headers, body: emptyBody };
}
