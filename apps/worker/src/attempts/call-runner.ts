import { type Call, type CallIdentity, hasStarted } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { CallStore, Delivery, ExpiryStore } from '@asyncfn/queue-core/jetstream';
import { type RetryPolicy, retryLimit, settle, toRetryPolicy, type Verdict } from '@asyncfn/queue-core/settle';
import type { Tracer } from '@opentelemetry/api';
import { mayExpire, permitStart, type StartPermit } from '../expiry/index.ts';
import type { AbortWatch, HttpAgent } from '../http/index.ts';
import { invoke } from '../invoke/index.ts';
import { type LaneGate, type Pass, toLimiterSignal } from '../limiter/index.ts';
import { type Budgets, type ByteShare, type CallBytes, ownerOf, waitForBody } from '../memory/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { oncePer } from '../once-per.ts';
import type { HeldAttempt, HeldCalls, LeaseKeeper } from '../running/index.ts';
import {
  type End,
  expiredEnd,
  type HeldCall,
  ProgressCheck,
  type ProgressCheckOptions,
  type Rest,
  type RunningCall,
  type Settler,
  undecidedMs,
} from '../settle/index.ts';
import type { OnSettleStep } from '../storing/index.ts';
import { AttemptTrace } from '../tracing/index.ts';
import { AttemptLog, type EndedAttempt } from './attempt-log.ts';

export interface CallRunnerOptions extends ProgressCheckOptions {
  readonly functions: HttpAgent;
  readonly settler: Settler;
  readonly store: CallStore;
  readonly expiries: Pick<ExpiryStore, 'claim' | 'revise'>;
  readonly leases: LeaseKeeper;
  readonly held: HeldCalls;
  readonly metrics: WorkerMetrics;
  /** Undefined while there are no traces. */
  readonly tracer?: Tracer | undefined;
  readonly userAgent: string;
  readonly budgets: Pick<Budgets, 'bodies' | 'results'>;
  /** For functions that say nothing else. */
  readonly retryDefaults: RetryPolicy;
  /** Notes that an attempt begins with a delivery that is not the first. */
  readonly noteBegin: (call: CallIdentity) => Promise<void>;
  readonly onStep: OnSettleStep;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** Aborts when the worker is told to stop: what has not begun goes back. */
  readonly stopping: AbortSignal;
  /** Told of each attempt that begins, and of each retry that is stored. */
  readonly onMove: (call: CallIdentity) => void;
}

/** Where a lane leads. */
interface Destination {
  readonly target: FunctionConfig;
  readonly gate: LaneGate;
}

/** As `Destination`, for a function that may be gone. */
interface Lead {
  readonly target: FunctionConfig | undefined;
  readonly gate: LaneGate;
}

interface Invocation {
  readonly target: FunctionConfig;
  readonly maxRetries: number;
  readonly pass: Pass;
  readonly signal: AbortWatch;
  readonly trace: AttemptTrace | undefined;
  /** Counts the result. */
  readonly room: ByteShare;
}

interface Attempted extends EndedAttempt {
  readonly policy: RetryPolicy;
}

/** Whether a call may be sent to its function. */
type Admission = { readonly kind: 'admitted'; readonly pass: Pass } | { readonly kind: 'denied'; readonly rest: Rest };

const denied: Admission = { kind: 'denied', rest: undefined };

/** Brings one call from its delivery to what follows it: its end, or its next attempt. */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #policyOf: (target: FunctionConfig) => RetryPolicy;
  readonly #log: AttemptLog;
  readonly #progress: ProgressCheck;
  readonly #rests = new Set<Promise<void>>();

  constructor(options: CallRunnerOptions) {
    this.#options = options;
    this.#log = new AttemptLog(options.logger, options.now);
    this.#progress = new ProgressCheck(options);
    this.#policyOf = oncePer(({ retry }) => toRetryPolicy(retry, options.retryDefaults));
  }

  /**
   * Resolves when the call needs its slot no more; its callback may still be under way (see `whenSettled`). `target` is
   * undefined for a function that has been gone for a while. Never rejects: whatever happens, the call is settled, or
   * left to its lease.
   * @param isFirst whether no worker can have had the call before. Default: whether the broker has delivered it once
   */
  async run(
    delivery: Delivery,
    target: FunctionConfig | undefined,
    gate: LaneGate,
    isFirst = delivery.info.deliveries === 1,
  ): Promise<void> {
    const { leases } = this.#options;
    leases.keep(delivery);
    const bytes = this.#count(delivery);
    const letGo = (): void => {
      bytes.body.release();
      bytes.result.release();
      leases.release(delivery);
    };
    let rest: Rest;
    try {
      rest = await this.#run(delivery, bytes, isFirst, { target, gate });
    } catch (err) {
      this.#leaveToLease(delivery, err);
    }
    if (rest === undefined) {
      letGo();
      return;
    }
    const settled = rest()
      .catch((err: unknown) => this.#leaveToLease(delivery, err))
      .then(() => {
        letGo();
        this.#rests.delete(settled);
      });
    this.#rests.add(settled);
  }

  #count({ call }: Delivery): CallBytes {
    const { bodies, results } = this.#options.budgets;
    const owner = call.kind === 'call' ? ownerOf(call.call) : '';
    return { body: bodies.open(owner), result: results.open(owner) };
  }

  /** Resolves when nothing is left to do for calls whose slots are free. */
  async whenSettled(): Promise<void> {
    await Promise.all(this.#rests);
  }

  /** Something went wrong: the lease runs out, and another worker gets the call. */
  #leaveToLease({ callId, function: name, queue }: Delivery, err: unknown): void {
    this.#options.logger.error({ err, callId, function: name, queue }, 'call could not be processed');
  }

  /** Most calls are new and small, and go to their function without a promise that nobody needs. */
  #run(delivery: Delivery, bytes: CallBytes, isFirst: boolean, lead: Lead): Promise<Rest> {
    const { call } = delivery;
    if (call.kind === 'undecodable') {
      return this.#setAside(delivery, call.problem);
    }
    const held = { delivery, call: call.call, isFirst, bytes, seenAt: performance.now() };
    return bytes.body.reserve(call.call.body.length) ? this.#runHeld(held, lead) : this.#runInTurn(held, lead);
  }

  #runHeld(held: RunningCall, { target, gate }: Lead): Promise<Rest> {
    const { held: desk } = this.#options;
    return isNew(held) && !desk.wasCancelled(held.call) && !desk.mayHaveMissedCancel()
      ? this.#invokeOrEnd(held, target, gate)
      : this.#lookFirst(held, target, gate);
  }

  async #runInTurn(held: RunningCall, lead: Lead): Promise<Rest> {
    const { settler, stopping, held: desk } = this.#options;
    const since = performance.now();
    const wait = await waitForBody(held.delivery, held.call, held.bytes.body, this.#options);
    if (wait === 'back') {
      await settler.giveBack(held, stopping.aborted ? 0 : undecidedMs);
      return undefined;
    }
    return desk.mayHaveMissedCancel(since) ? this.#lookFirst(held, lead.target, lead.gate) : this.#runHeld(held, lead);
  }

  async #setAside(delivery: Delivery, problem: string): Promise<undefined> {
    const { callId, function: name, queue, rawHeader, rawBody } = delivery;
    this.#options.logger.error({ callId, function: name, queue, problem }, 'call cannot be read');
    await this.#options.settler.setAside(delivery, rawHeader, rawBody);
  }

  #invokeOrEnd(held: RunningCall, target: FunctionConfig | undefined, gate: LaneGate): Promise<Rest> {
    const maxRetries = held.call.maxRetries ?? 0;
    return target === undefined
      ? this.#options.settler.end(held, { status: 'failed', reason: 'unknown_function', maxRetries })
      : this.#hold(held, { target, gate });
  }

  /** A call that may have ended, or be further than this delivery says. */
  async #lookFirst(held: RunningCall, target: FunctionConfig | undefined, gate: LaneGate): Promise<Rest> {
    const handled = await this.#progress.look(held);
    return handled === 'invoke' ? await this.#invokeOrEnd(held, target, gate) : handled;
  }

  /** Makes an attempt, and answers for the call until it is stored what follows. */
  async #hold(held: RunningCall, destination: Destination): Promise<Rest> {
    const { call } = held;
    const maxRetries = retryLimit(call, this.#policyOf(destination.target));
    const attempt = this.#options.held.begin(call, call.startedAt ?? this.#options.now(), maxRetries);
    try {
      return await this.#attempt(held, destination, attempt);
    } finally {
      attempt.end();
    }
  }

  /**
   * Attempts the call, and again at once where a busy function has rejected it and the gate gives it another turn. Each
   * attempt counts, here as everywhere.
   */
  async #attempt(held: RunningCall, { target, gate }: Destination, attempt: HeldAttempt): Promise<Rest> {
    const { settler, now } = this.#options;
    const policy = this.#policyOf(target);
    const maxRetries = retryLimit(held.call, policy);
    const turns = turnsInHand(maxRetries);
    const admitted = await this.#enter(held, gate, attempt);
    if (admitted.kind === 'denied') {
      return admitted.rest;
    }
    await this.#noteBegin(held.delivery);
    let call = { ...held.call, startedAt: held.call.startedAt ?? now() };
    let pass: Pass | undefined = admitted.pass;
    for (;;) {
      attempt.turn(call.retry, call.startedAt);
      this.#options.onMove(held.delivery);
      const trace = this.#trace(call, held.delivery, target);
      call = ofTrace(call, trace);
      const result = await this.#invoke(call, held.delivery, {
        target,
        maxRetries,
        pass,
        signal: attempt.signal,
        trace,
        room: held.bytes.result,
      });
      if (result === undefined) {
        return this.#cutShort({ ...held, call }, held.call.retry, attempt);
      }
      const verdict = this.#settle(call, held.delivery, { target, policy, result, trace });
      if (verdict.kind !== 'retry') {
        const reason = verdict.kind === 'failed' ? verdict.reason : undefined;
        const capped = target.concurrency !== undefined;
        return await settler.end({ ...held, call, capped }, { status: verdict.kind, maxRetries, result, reason });
      }
      held.bytes.result.release();
      const mayStay: boolean = pass.rejectedInCompany && !verdict.asked && call.retry - held.call.retry < turns;
      pass = mayStay ? await gate.again(attempt.signal) : undefined;
      if (pass === undefined) {
        const end: End = { status: 'failed', reason: 'too_large', maxRetries, result };
        return this.#retryLater({ ...held, call }, verdict.delayMs, attempt, end);
      }
      call = { ...call, retry: call.retry + 1 };
    }
  }

  /** Before the call can kill this worker. */
  #noteBegin(delivery: Delivery): Promise<void> | undefined {
    return delivery.info.deliveries > 1 ? this.#options.noteBegin(delivery) : undefined;
  }

  #enter(held: RunningCall, gate: LaneGate, attempt: HeldAttempt): Admission | Promise<Admission> {
    const entered = gate.enter(attempt.signal);
    const isUndecided = entered instanceof Promise || mayExpire(held.call);
    return isUndecided ? this.#admit(held, entered, attempt) : { kind: 'admitted', pass: entered };
  }

  /** Waits for the call's turn. A call that must not be started then is ended, or given back. */
  async #admit(held: RunningCall, entered: Pass | Promise<Pass | undefined>, attempt: HeldAttempt): Promise<Admission> {
    const { settler, held: desk } = this.#options;
    const since = performance.now();
    const pass = await entered;
    if (pass === undefined && attempt.isCancelled) {
      return { kind: 'denied', rest: this.#letGo(held) };
    }
    if (pass === undefined) {
      await settler.giveBack(held);
      return denied;
    }
    // While it waited for its turn, whoever had it before may have ended it.
    const mayHaveEnded = entered instanceof Promise && (!isNew(held) || desk.mayHaveMissedCancel(since));
    const handled = mayHaveEnded ? await this.#progress.look(held) : 'invoke';
    if (handled !== 'invoke') {
      pass.leave('unclear');
      return { kind: 'denied', rest: handled };
    }
    const permit = await this.#permit(held, pass);
    if (permit === 'start') {
      return { kind: 'admitted', pass };
    }
    if (permit === 'expire') {
      return { kind: 'denied', rest: await settler.end(held, expiredEnd(held.call)) };
    }
    await settler.giveBack(held, undecidedMs);
    return denied;
  }

  /** Where the answer is no, the pass is given up. */
  async #permit({ call, isFirst = false }: HeldCall<Delivery>, pass: Pass): Promise<StartPermit> {
    let permit: StartPermit = 'wait';
    try {
      permit = await permitStart(call, isFirst, this.#options.expiries, this.#options.now);
    } finally {
      if (permit !== 'start') {
        pass.leave('unclear');
      }
    }
    return permit;
  }

  /** @param end of a call that the broker cannot store again */
  async #retryLater(held: RunningCall, delayMs: number, { isCancelled }: HeldAttempt, end: End): Promise<Rest> {
    if (isCancelled) {
      return this.#letGo(held);
    }
    if (!(await this.#options.settler.retry(held, delayMs))) {
      return await this.#options.settler.end(held, end);
    }
    this.#options.onMove(held.delivery);
    return undefined;
  }

  /** The call was cancelled: its end is recorded, and what the function may have made of it counts no more. */
  #letGo({ call, delivery }: HeldCall<Delivery>): undefined {
    const { id: callId, function: name, queue, retry } = call;
    this.#options.logger.info({ callId, function: name, queue, attempt: retry + 1 }, 'call cancelled');
    this.#options.settler.letGo(delivery);
  }

  /**
   * The call was cancelled, or our own stop has cut the attempt short. Whoever stops hands the call back, but knows
   * nothing of attempts in hand.
   */
  async #cutShort(held: HeldCall<Delivery>, storedRetry: number, { isCancelled }: HeldAttempt): Promise<undefined> {
    if (isCancelled) {
      return this.#letGo(held);
    }
    if (held.call.retry > storedRetry) {
      await this.#options.settler.postpone(held, 0);
    }
  }

  #trace(call: Call, delivery: Delivery, target: FunctionConfig): AttemptTrace | undefined {
    const { tracer, now } = this.#options;
    return tracer && new AttemptTrace(tracer, { call, delivery, target, now: now() });
  }

  #settle(call: Call, delivery: Delivery, attempted: Attempted): Verdict {
    const { policy, result, trace } = attempted;
    const { onStep, now, random, metrics } = this.#options;
    onStep('function answered', call.id);
    const verdict = settle(call, result, policy, now(), random);
    trace?.settled(verdict);
    this.#log.ended(call, delivery, attempted, verdict.kind === 'retry' ? verdict.delayMs : undefined);
    if (verdict.kind === 'retry') {
      metrics.retried(delivery, verdict.reason);
    }
    return verdict;
  }

  async #invoke(call: Call, delivery: Delivery, { target, maxRetries, pass, signal, trace, room }: Invocation) {
    const { functions, metrics, userAgent, maxResponseBytes, now } = this.#options;
    metrics.attemptStarted(delivery, now() - delivery.info.storedAtMs);
    const options = { userAgent, maxRetries, maxResponseBytes, room, signal };
    const result = await invoke(functions, trace?.request ?? call, target, options);
    pass.leave(toLimiterSignal(result));
    trace?.ended(result);
    metrics.attemptEnded(delivery, result);
    return result;
  }
}

/** No worker can have had it, or an attempt before it, so that none can have ended it. */
function isNew({ isFirst, call }: HeldCall<Delivery>): boolean {
  return isFirst === true && !hasStarted(call);
}

/** The call with the context that what follows this attempt is to be traced by. */
function ofTrace<C extends Call>(call: C, trace: AttemptTrace | undefined): C {
  return trace === undefined ? call : { ...call, headers: trace.call.headers };
}

/**
 * How often a call may be attempted again without going back to the queue. Not all of its budget: the function may
 * reject this very call, and then only time helps.
 */
function turnsInHand(maxRetries: number): number {
  return Math.min(3, Math.floor(maxRetries / 2));
}
