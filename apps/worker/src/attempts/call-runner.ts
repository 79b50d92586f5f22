import { type AttemptRecord, type Call, needsTurn, withAttempt } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import { type RetryPolicy, retryLimit, settle, toRetryPolicy, type Verdict } from '@asyncfn/queue-core/settle';
import type { AbortWatch } from '../http/index.ts';
import { type AttemptResult, invoke } from '../invoke/index.ts';
import { type Entrance, type Pass, toLimiterSignal } from '../limiter/index.ts';
import { memoizeWeak } from '../memoize-weak.ts';
import { type CallBytes, heldBytes, ownerOf, waitForBody } from '../memory/index.ts';
import type { RunningAttempt } from '../running/index.ts';
import {
  type CountedCall,
  type DeliveredCall,
  type End,
  type FollowUp,
  ProgressCheck,
  undecidedMs,
} from '../settle/index.ts';
import { AttemptTrace } from '../tracing/index.ts';
import { type Admission, Admissions } from './admission.ts';
import { AttemptLog, type EndedAttempt } from './attempt-log.ts';
import { ended } from './attempt-notes.ts';
import { immediateRetries, isNew, ofTrace, type Postponement } from './attempt-rules.ts';
import type { CallRunnerOptions } from './call-runner-options.ts';
import type { Destination, Lead } from './destination.ts';
import { Parking } from './parking.ts';

interface Invocation {
  readonly target: FunctionConfig;
  readonly maxRetries: number;
  readonly signal: AbortWatch;
  readonly trace: AttemptTrace | undefined;
  readonly pass: Pass;
}

/** A call whose first attempt has begun. */
interface StartedCall extends Call {
  startedAt: number;
  history?: AttemptRecord[];
}

interface Attempted extends EndedAttempt {
  readonly policy: RetryPolicy;
}

/** Runs one call from its delivery to its end or to its next attempt. */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #policyOf: (target: FunctionConfig) => RetryPolicy;
  readonly #log: AttemptLog;
  readonly #progress: ProgressCheck;
  readonly #parking: Parking;
  readonly #admissions: Admissions;
  readonly #followUps = new Set<Promise<void>>();

  constructor(options: CallRunnerOptions) {
    this.#options = options;
    this.#log = new AttemptLog(options.logger, options.now);
    this.#progress = new ProgressCheck(options);
    this.#parking = new Parking(options);
    this.#admissions = new Admissions({ ...options, progress: this.#progress });
    this.#policyOf = memoizeWeak(({ retry }) => toRetryPolicy(retry, options.retryDefaults));
  }

  /**
   * Resolves when the call no longer needs its slot; its callback may still be under way (see `whenSettled`). `target`
   * is undefined for a function that has been gone for a while. Never rejects: the call is settled, or its lease runs
   * out.
   * @param isFirst whether no worker can have had the call before. Default: whether the broker has delivered it once
   */
  async run(
    delivery: Delivery,
    target: FunctionConfig | undefined,
    gate: Entrance,
    isFirst = delivery.info.deliveries === 1,
  ): Promise<void> {
    const { leases } = this.#options;
    leases.keep(delivery);
    const bytes = this.#count(delivery);
    const release = (): void => {
      bytes.body.release();
      bytes.result.release();
      leases.release(delivery);
    };
    let followUp: FollowUp;
    try {
      followUp = await this.#run(delivery, bytes, isFirst, { target, gate });
    } catch (err) {
      this.#leaveToLease(delivery, err);
    }
    if (followUp === undefined) {
      release();
      return;
    }
    const settled = followUp()
      .catch((err: unknown) => this.#leaveToLease(delivery, err))
      .then(() => {
        release();
        this.#followUps.delete(settled);
      });
    this.#followUps.add(settled);
  }

  #count({ call }: Delivery): CallBytes {
    const { bodies, results } = this.#options.budgets;
    const owner = call.kind === 'call' ? ownerOf(call.call) : '';
    return { body: bodies.open(owner), result: results.open(owner) };
  }

  /** Resolves when all follow-ups of calls that have released their slots are done. */
  async whenSettled(): Promise<void> {
    await Promise.all(this.#followUps);
  }

  /** An unexpected error: the lease runs out, and another worker gets the call. */
  #leaveToLease({ callId, function: name, queue }: Delivery, err: unknown): void {
    this.#options.logger.error({ err, callId, function: name, queue }, 'call could not be processed');
  }

  /** Most calls are new and small, and reach their function without an additional promise. */
  #run(delivery: Delivery, bytes: CallBytes, isFirst: boolean, lead: Lead): Promise<FollowUp> {
    const { call } = delivery;
    if (call.kind === 'undecodable') {
      return this.#deadLetterUndecodable(delivery, call.problem);
    }
    const delivered = { delivery, call: call.call, isFirst, bytes, seenAt: performance.now() };
    return bytes.body.reserve(heldBytes(call.call))
      ? this.#runCounted(delivered, lead)
      : this.#runInTurn(delivered, lead);
  }

  #runCounted(delivered: CountedCall, { target, gate }: Lead): Promise<FollowUp> {
    const { running } = this.#options;
    if (needsTurn(delivered.call)) {
      return this.#parking.park(delivered);
    }
    return isNew(delivered) && !running.wasCancelled(delivered.call) && !running.mayHaveMissedCancel()
      ? this.#invokeOrEnd(delivered, target, gate)
      : this.#checkFirst(delivered, target, gate);
  }

  async #runInTurn(delivered: CountedCall, lead: Lead): Promise<FollowUp> {
    const { settler, stopping, running } = this.#options;
    const since = performance.now();
    const wait = await waitForBody(delivered.delivery, delivered.call, delivered.bytes.body, this.#options);
    if (wait === 'back') {
      await settler.handBack(delivered, stopping.aborted ? 0 : undecidedMs);
      return undefined;
    }
    return running.mayHaveMissedCancel(since)
      ? this.#checkFirst(delivered, lead.target, lead.gate)
      : this.#runCounted(delivered, lead);
  }

  async #deadLetterUndecodable(delivery: Delivery, problem: string): Promise<undefined> {
    const { callId, function: name, queue, rawHeader, rawBody } = delivery;
    this.#options.logger.error({ callId, function: name, queue, problem }, 'call cannot be read');
    await this.#options.settler.deadLetterUndecodable(delivery, rawHeader, rawBody);
  }

  #invokeOrEnd(delivered: CountedCall, target: FunctionConfig | undefined, gate: Entrance): Promise<FollowUp> {
    const maxRetries = delivered.call.maxRetries ?? 0;
    return target === undefined
      ? this.#options.settler.end(delivered, { status: 'failed', reason: 'unknown_function', maxRetries })
      : this.#hold(delivered, { target, gate });
  }

  /** For a call that may have ended, or progressed beyond this delivery. */
  async #checkFirst(delivered: CountedCall, target: FunctionConfig | undefined, gate: Entrance): Promise<FollowUp> {
    const handled = await this.#progress.check(delivered);
    return handled === 'invoke' ? await this.#invokeOrEnd(delivered, target, gate) : handled;
  }

  /** Makes an attempt, and reports the call as running until its follow-up is stored. */
  async #hold(delivered: CountedCall, destination: Destination): Promise<FollowUp> {
    const { call } = delivered;
    const maxRetries = retryLimit(call, this.#policyOf(destination.target));
    const attempt = this.#options.running.begin(call, call.startedAt ?? this.#options.now(), maxRetries);
    try {
      return await this.#attempt(delivered, destination, attempt);
    } finally {
      attempt.end();
    }
  }

  /**
   * Attempts the call, and again at once if a busy function has rejected it and the gate admits it again. Each attempt
   * counts.
   */
  async #attempt(delivered: CountedCall, { target, gate }: Destination, attempt: RunningAttempt): Promise<FollowUp> {
    const { settler, notes, events } = this.#options;
    const policy = this.#policyOf(target);
    const maxRetries = retryLimit(delivered.call, policy);
    const turns = immediateRetries(maxRetries);
    const admitted = await this.#admissions.enter(delivered, gate, attempt);
    if (admitted.kind !== 'admitted') {
      return this.#denied(delivered, admitted);
    }
    let call = this.#begin(delivered, admitted.history);
    let pass: Pass | undefined = admitted.pass;
    for (;;) {
      const begun = notes.begin(call.retry);
      attempt.turn(call, begun);
      this.#options.onCallChange(delivered.delivery);
      events.started(call, maxRetries, begun);
      const trace = this.#trace(call, delivered.delivery, target);
      call = ofTrace(call, trace);
      const result = await this.#invoke(call, delivered, { target, maxRetries, signal: attempt.signal, trace, pass });
      pass.leave(toLimiterSignal(result));
      trace?.ended(result);
      this.#options.metrics.attemptEnded(delivered.delivery, result);
      if (result === undefined) {
        return this.#cutShort({ ...delivered, call }, delivered.call.retry, attempt);
      }
      const verdict = this.#settle(call, delivered.delivery, { target, policy, result, trace });
      const record = ended(begun, result, verdict.kind);
      if (verdict.kind !== 'retry') {
        events.attempted(call, maxRetries, record);
        call.history = withAttempt(call.history, record);
        const reason = verdict.kind === 'failed' ? verdict.reason : undefined;
        const capped = target.concurrency !== undefined;
        return await settler.end({ ...delivered, call, capped }, { status: verdict.kind, maxRetries, result, reason });
      }
      delivered.bytes.result.release();
      const mayStay: boolean = pass.rejectedInCompany && !verdict.asked && call.retry - delivered.call.retry < turns;
      pass = mayStay ? await gate.again(attempt.signal) : undefined;
      this.#tellRetried(call, maxRetries, record, verdict.delayMs, pass);
      if (pass === undefined) {
        const end: End = { status: 'failed', reason: 'too_large', maxRetries, result };
        return this.#retryLater({ ...delivered, call }, { delayMs: verdict.delayMs, record, end }, attempt);
      }
      this.#options.replies.discard(result.object);
      call = { ...call, retry: call.retry + 1, history: withAttempt(call.history, record) };
    }
  }

  #tellRetried(
    call: StartedCall,
    maxRetries: number,
    record: AttemptRecord,
    delayMs: number,
    pass: Pass | undefined,
  ): void {
    const { events, now } = this.#options;
    const waitMs = pass === undefined ? delayMs : 0; // with a pass, it follows at once
    events.attempted(call, maxRetries, { ...record, retryAt: Math.floor(now() + waitMs) });
  }

  /** Adds the time of its first attempt to the call, and what became of the attempts before this one. */
  #begin({ call }: CountedCall, history: AttemptRecord[] | undefined): StartedCall {
    // This worker's own: a copy of an object of so many fields would cost each call a microsecond.
    const started = Object.assign(call, { startedAt: call.startedAt ?? this.#options.now() });
    return history === undefined ? started : Object.assign(started, { history });
  }

  async #retryLater(
    delivered: CountedCall,
    { delayMs, record, end }: Postponement,
    { isCancelled }: RunningAttempt,
  ): Promise<FollowUp> {
    const { settler, now, replies } = this.#options;
    if (isCancelled) {
      replies.discard(end.result?.object);
      return this.#ackCancelled(delivered);
    }
    const retryAt = Math.floor(now() + delayMs);
    const history = withAttempt(delivered.call.history, { ...record, retryAt });
    const attempted = { ...delivered, call: { ...delivered.call, history } };
    if (!(await settler.retry(attempted, delayMs))) {
      return await settler.end(attempted, end);
    }
    replies.discard(end.result?.object);
    this.#options.onCallChange(delivered.delivery);
    return undefined;
  }

  #denied(delivered: CountedCall, denial: Exclude<Admission, { kind: 'admitted' }>): FollowUp {
    return denial.kind === 'cancelled' ? this.#ackCancelled(delivered) : denial.followUp;
  }

  /** The call was cancelled: its outcome is recorded, and the function's response no longer counts. */
  #ackCancelled({ call, delivery }: DeliveredCall<Delivery>): undefined {
    const { id: callId, function: name, queue, retry } = call;
    this.#options.logger.info({ callId, function: name, queue, attempt: retry + 1 }, 'call cancelled');
    this.#options.settler.ack(delivery);
  }

  /**
   * The call was cancelled, its pass has become invalid, the broker does not give its body or take its response, or the worker's
   * stop has cut the attempt short. The stop hands the call back, but does not know of retries made here, so they are stored first.
   */
  async #cutShort(
    delivered: DeliveredCall<Delivery>,
    storedRetry: number,
    { isCancelled, signal }: RunningAttempt,
  ): Promise<undefined> {
    const { settler, replies } = this.#options;
    if (isCancelled) {
      return this.#ackCancelled(delivered);
    }
    if (delivered.call.retry > storedRetry) {
      await settler.postpone(delivered, 0);
    } else if (!signal.aborted) {
      const isBrokerAway = delivered.call.bodyObject !== undefined || replies.hasRefused(delivered.call);
      await settler.handBack(delivered, isBrokerAway ? undecidedMs : undefined);
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

  /** Undefined if the attempt was cut short, or may not begin. */
  #invoke(
    call: Call,
    { delivery, bytes }: CountedCall,
    { target, maxRetries, signal, trace, pass }: Invocation,
  ): Promise<AttemptResult | undefined> {
    const { functions, metrics, userAgent, maxResponseBytes, bodies, replies: responses, now } = this.#options;
    if (!pass.begin()) {
      return Promise.resolve(undefined);
    }
    metrics.attemptStarted(delivery, now() - delivery.info.storedAtMs);
    const options = {
      userAgent,
      maxRetries,
      maxResponseBytes,
      bodies,
      responses,
      call,
      room: bytes.result,
      signal,
      onSent: pass.sent,
    };
    const invoked = invoke(functions, trace?.request ?? call, target, options);
    return call.bodyObject === undefined ? invoked : this.#log.largeBody(call, invoked, signal);
  }
}
