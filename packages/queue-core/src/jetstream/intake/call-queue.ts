import { type Call, callHeader, ownerOf } from '../../call/index.ts';
import type { DurabilityShortfall } from '../../durability.ts';
import { QueueError } from '../../errors.ts';
import type { FunctionConfig, FunctionRegister } from '../../functions/index.ts';
import { type PublishResult, type RefusalReason, refused } from '../../publish-result.ts';
import { hashDerivedId } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import type { Flows } from '../flows/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { AtomicPublisher, type Outgoing, type Publisher } from '../publish/index.ts';
import { ExpiryStore } from '../store/index.ts';
import { valueWithin } from '../time-limit.ts';
import type { AdmissionControl, RoomRequest } from './admission-control.ts';
import { toCallMessage } from './call-message.ts';
import { type AcceptOptions, ConditionalEnqueue, type KeyResult } from './conditional-enqueue.ts';
import { DuplicateLookup } from './duplicate-lookup.ts';
import type { DurabilityWatch } from './durability-watch.ts';
import { IdClaims } from './id-claims.ts';
import type { NameRefusal, UnregisteredNames } from './unregistered-names.ts';

export interface CallQueueDependencies {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Pick<Publisher, 'publish' | 'timeoutMs'>;
  readonly register: FunctionRegister;
  /** Default: no durability is required. */
  readonly durability?: Pick<DurabilityWatch, 'shortfall'>;
  /** Enforces the limits of queues and functions. Default: no limits. */
  readonly admission?: AdmissionControl;
  /** Limits the names of functions that are not registered. Default: no limit. */
  readonly names?: Pick<UnregisteredNames, 'admit'>;
  /** Gives calls with a flow key their turn. Default: workers find them after a while. */
  readonly flows?: Pick<Flows, 'stored' | 'acceptAtOnce'> | undefined;
  /** How long idempotency keys are remembered, in milliseconds. Default 24 hours. */
  readonly idempotencyWindowMs?: number;
}

/** The result of an enqueue. */
export type AcceptResult = PublishResult | KeyResult;

const dayMs = 24 * 60 * 60 * 1000;

/** Longest wait for the broker to report the usage. */
const confirmMs = 1_000;

/** Most bytes that a schedule or the record of a dead letter adds when a call is stored again. */
const laterBytes = 4 * 1024;

/** About what JetStream's files and the framing of headers add to a message. */
const messageOverheadBytes = 64;

/** The entrance to the queues: everything that a gateway does to store a call. */
export class CallQueue {
  readonly #broker: Broker;
  readonly #topology: QueueTopology;
  readonly #publisher: CallQueueDependencies['publisher'];
  readonly #register: FunctionRegister;
  readonly #admission: AdmissionControl | undefined;
  readonly #names: CallQueueDependencies['names'];
  readonly #flows: CallQueueDependencies['flows'];
  readonly #durability: Pick<DurabilityWatch, 'shortfall'> | undefined;
  readonly #known: DuplicateLookup;
  readonly #conditional: ConditionalEnqueue;

  constructor(deps: CallQueueDependencies) {
    const { broker, topology, publisher, register, admission, names, durability, idempotencyWindowMs = dayMs } = deps;
    this.#broker = broker;
    this.#topology = topology;
    this.#publisher = publisher;
    this.#register = register;
    this.#admission = admission;
    this.#names = names;
    this.#flows = deps.flows;
    this.#durability = durability;
    this.#known = new DuplicateLookup({ topology });
    this.#conditional = new ConditionalEnqueue({
      claims: new IdClaims({ publisher, topology, now: broker.clock.now }),
      known: this.#known,
      publisher,
      atomic: new AtomicPublisher(publisher),
      expiries: new ExpiryStore(publisher, topology, broker.clock.now),
      windowMs: idempotencyWindowMs,
    });
  }

  /** False while nothing can be accepted: then refuse at once (P1). */
  get available(): boolean {
    return this.#broker.connected && this.#topology.usable && this.#durability?.shortfall === undefined;
  }

  /** Set if the broker is connected but not `available`, because it is less durable than required. */
  get shortfall(): DurabilityShortfall | undefined {
    return this.#broker.connected && this.#topology.usable ? this.#durability?.shortfall : undefined;
  }

  /** Why the function has no room for any call, whatever its size: then refuse before reading the body. */
  refusalFor(target: FunctionConfig): RefusalReason | undefined {
    return this.#admission?.confirmedRefusal({ function: target, bytes: 0 });
  }

  /**
   * Stores the call. `stored` means that JetStream has confirmed it (P1). Answers within the publisher's time limit,
   * even for a function that has no consumer yet. Rejects only for a name or an id that could not be a subject's (P7).
   */
  async accept(call: Call, options: AcceptOptions): Promise<AcceptResult> {
    const message = toCallMessage(call, options.unique);
    if (!this.available) {
      return refused('unavailable', this.#hindrance());
    }
    if (isTooLargeLater(message, this.#broker.connection?.info?.max_payload)) {
      return refused('too_large', 'a retry or a dead letter of the call would be larger than max_payload');
    }
    const admission = this.#admission;
    const target = this.#targetOf(call);
    if (admission === undefined || !admission.limits(target)) {
      return this.#acceptInto(call, message, options);
    }
    const request = { function: target, bytes: bytesOf(message) };
    if (!admission.knows(target) || admission.refusalFor(request) !== undefined) {
      await valueWithin(admission.confirm(request), confirmMs, () => undefined);
    }
    // Checked in the same tick as the call is counted, since other calls have waited for the same answer.
    const refusal = admission.refusalFor(request);
    if (refusal !== undefined) {
      return refused(refusal, 'a limit that is set for the queue or the function is reached');
    }
    const settle = admission.add(request);
    const result = await this.#acceptInto(call, message, options);
    settle(result.kind === 'stored');
    return result;
  }

  /**
   * Whether a call of this derived id is known: see `AcceptOptions`. It is, as long as the id is remembered, the call is in
   * its queue or its outcome is kept. Throws `QueueError`.
   */
  async isKnown({ id, submitter }: Pick<Call, 'id' | 'submitter'>): Promise<boolean> {
    const address = { callId: id, owner: ownerOf(submitter) };
    return (await this.#known.findKey(hashDerivedId(id))) !== undefined || (await this.#known.isKnown(address));
  }

  /** For logs: why calls cannot be accepted. */
  #hindrance(): string {
    if (!this.#broker.connected) {
      return `NATS is ${this.#broker.state}`;
    }
    return this.#topology.usable ? 'the broker is not as durable as is required' : 'the streams are not in place yet';
  }

  #targetOf({ function: name, queue }: Call): RoomRequest['function'] {
    return { name, queue, maxPending: this.#register.lookup(name)?.maxPending };
  }

  /** Most calls need no more than one promise, and each further one costs. */
  #acceptInto(call: Call, message: Outgoing, options: AcceptOptions): Promise<AcceptResult> {
    const isPlain = isUnconditional(options) && call.expiresAt === undefined && call.flow === undefined;
    if (isPlain && this.#hasLanes(call)) {
      return this.#publisher.publish(message).then((result) => this.#noticed(call, result));
    }
    const { timeoutMs } = this.#publisher;
    const deadline = performance.now() + timeoutMs;
    const isOver = (): boolean => performance.now() >= deadline;
    const store = (): Promise<AcceptResult> => {
      if (isPlain) {
        return this.#publishInTime(message, isOver);
      }
      return call.flow === undefined
        ? this.#conditional.accept(call, options, isOver)
        : this.#acceptKeyed(call, options, isOver);
    };
    return valueWithin(this.#acceptSlowly(call, store), timeoutMs, () => this.#late());
  }

  /** Ensures what the call needs, and asks the broker what must be known before the call is stored. */
  async #acceptSlowly(call: Call, store: () => Promise<AcceptResult>): Promise<AcceptResult> {
    try {
      const refusal = await this.#checkNames(call);
      if (refusal !== undefined) {
        return refused(refusal, 'as many functions that are not registered have a consumer as may have one');
      }
      await this.#openLanes(call);
      return this.#noticed(call, await store());
    } catch (error) {
      if (!(error instanceof QueueError)) {
        throw error;
      }
      return refused(error.code === 'consumer_limit' ? 'too_many_functions' : 'unavailable', error.message);
    }
  }

  async #acceptKeyed(call: Call, options: AcceptOptions, isOver: () => boolean): Promise<AcceptResult> {
    const atOnce = mayBeAtOnce(call, options) ? await this.#flows?.acceptAtOnce(call, isOver) : undefined;
    if (atOnce !== undefined) {
      return atOnce;
    }
    const result = await this.#conditional.accept(call, options, isOver);
    if (call.notBefore === undefined && result.kind === 'stored') {
      this.#flows?.stored(call, result.sequence);
    }
    return result;
  }

  #hasLanes(call: Call): boolean {
    const hasLane = this.#topology.hasLane(call.queue, call.function);
    return call.steps === undefined
      ? hasLane
      : hasLane && call.steps.every((s) => this.#topology.hasLane(s.queue, s.function));
  }

  /** The checks of a call's function also apply to those of its chain. */
  async #checkNames(call: Call): Promise<NameRefusal | undefined> {
    let refusal = await this.#checkName(call);
    for (const step of call.steps ?? []) {
      refusal ??= await this.#checkName({ ...call, queue: step.queue, function: step.function });
    }
    return refusal;
  }

  async #openLanes(call: Call): Promise<void> {
    for (const lane of [call, ...(call.steps ?? [])]) {
      await this.#openLane(lane);
    }
  }

  async #checkName({ queue, function: name, submitter }: Call): Promise<NameRefusal | undefined> {
    return this.#topology.hasLane(queue, name) ? undefined : await this.#names?.admit(queue, name, submitter);
  }

  /** Without a consumer no worker would receive the call (P2), so the consumer comes first. */
  async #openLane({ function: name, queue }: Pick<Call, 'function' | 'queue'>): Promise<void> {
    if (!this.#topology.hasLane(queue, name)) {
      const { concurrency } = this.#register.lookup(name) ?? { concurrency: undefined };
      await this.#topology.ensureFunction({ name, queue, concurrency });
    }
  }

  async #publishInTime(message: Outgoing, isOver: () => boolean): Promise<PublishResult> {
    return isOver() ? this.#late() : this.#publisher.publish(message);
  }

  /** Acts on what the broker's answer, and events in the meantime, say about stream and consumer. */
  #noticed<R extends AcceptResult>(call: Call, result: R): R {
    if (result.kind === 'refused' && result.reason === 'unavailable') {
      // The stream may have been deleted: the next call ensures it.
      this.#topology.forgetQueue(call.queue);
    } else if (!this.#topology.hasLane(call.queue, call.function)) {
      // A worker has just removed the lane because it was empty; now it is not (P2). If this fails, the next call tries
      // again.
      void this.#openLane(call).catch(() => {});
    }
    return result;
  }

  #late(): PublishResult {
    this.#broker.suspect();
    return refused('timeout', `no answer within ${this.#publisher.timeoutMs} ms`);
  }
}

/**
 * Whether a call may have its turn as it is accepted, if its key is idle. One whose message depends on something besides that has to
 * wait for its turn, and so does one that has its place among others.
 */
function mayBeAtOnce(call: Call, options: AcceptOptions): boolean {
  const { notBefore, expiresAt } = call;
  return isUnconditional(options) && options.place === undefined && notBefore === undefined && expiresAt === undefined;
}

/** Whether the call is new, whatever has been stored before. */
function isUnconditional({ unique, key, derived = false }: AcceptOptions): boolean {
  return !unique && key === undefined && !derived;
}

/**
 * Whether the broker would take the call, but not its retry with a schedule, or its dead letter with a reason. Such a
 * call could only be lost.
 */
function isTooLargeLater({ body, headers }: Outgoing, maxPayload = Number.POSITIVE_INFINITY): boolean {
  const envelope = headers.get(callHeader);
  // A character takes at most three bytes, so most calls need no measuring.
  const isSurelySmall = body.length + 3 * envelope.length + laterBytes <= maxPayload;
  return !isSurelySmall && body.length + Buffer.byteLength(envelope) + laterBytes > maxPayload;
}

/** Bytes that the message will take in the stream. */
function bytesOf({ subject, body, headers }: Outgoing): number {
  return subject.length + headers.get(callHeader).length + body.length + messageOverheadBytes;
}
