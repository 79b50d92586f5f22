import { type Call, identityOf, type RefusalReason } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type {
  AcceptResult,
  CallQueue,
  CallStore,
  MomentDelivery,
  MomentStep,
  ScheduleStore,
  StoredRuns,
} from '@asyncfn/queue-core/jetstream';
import {
  dueAtOf,
  type Moment,
  planMoment,
  type ScheduleRun,
  scheduledCallId,
  timesOf,
  toScheduledCall,
} from '@asyncfn/queue-core/schedules';
import type { Logger } from '@asyncfn/service-kit';
import type { WorkerMetrics } from '../metrics.ts';
import { type MomentWork, momentFields, stepTo } from './moment-work.ts';

export interface MomentProcessorOptions {
  readonly store: Pick<ScheduleStore, 'basisOf' | 'follow' | 'readRuns'>;
  readonly queue: Pick<CallQueue, 'accept' | 'isKnown'>;
  readonly calls: Pick<CallStore, 'findQueued' | 'findOutcome'>;
  readonly lookup: (name: string) => FunctionConfig | undefined;
  /** Called for each call that was stored. */
  readonly onStored: (call: Call) => void;
  readonly metrics: Pick<WorkerMetrics, 'moments'>;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Waits before a moment is tried again, by the number of its deliveries; then always the last one. */
const retryMs = [500, 1_000, 2_000, 5_000] as const;
/** As `retryMs`, for a moment that waits until a call has ended. */
const waitingMs = [500, 1_000, 1_000, 2_000] as const;
/** A moment that is not due yet comes back at the latest after this. */
const longestWaitMs = 15_000;
/** Refusals that another try does not change. */
const final: ReadonlySet<RefusalReason> = new Set(['too_large']);
/** How long the id of a call is remembered, in milliseconds. A worker that dies is replaced at once, if there is one. */
const rememberedMs = 10 * 60 * 1000;
const nanosPerMs = 1_000_000;

/**
 * Deals with the moments of schedules. The call is stored first, under an id that is a function of name and moment, and
 * the next moment after it: a crash in between repeats what finds the call (P2). The next moment is stored only if
 * nothing of the schedule has changed since it was read.
 */
export class MomentProcessor {
  readonly #options: MomentProcessorOptions;

  constructor(options: MomentProcessorOptions) {
    this.#options = options;
  }

  /** Settles the delivery. Throws `QueueError`. */
  async process(delivery: MomentDelivery, moment: Moment): Promise<void> {
    const found = await this.#options.store.basisOf(moment, delivery.streamSequence);
    if (found.kind === 'obsolete') {
      delivery.ack();
      return;
    }
    const work = { delivery, moment, entry: found.entry, basis: found.basis };
    await (moment.waiting === true ? this.#fire(work, moment.at) : this.#plan(work));
  }

  async #plan(work: MomentWork): Promise<void> {
    const { delivery, moment, entry } = work;
    const { now, metrics, logger } = this.#options;
    const plan = planMoment(entry, moment.at, now());
    if (plan.kind === 'wait') {
      delivery.nak(Math.min(plan.waitMs, longestWaitMs));
      return;
    }
    const isThisOne = plan.kind === 'fire' && plan.at === moment.at;
    if (isThisOne || (await this.#hasFired(work))) {
      await this.#fire(work, moment.at);
      return;
    }
    metrics.moments('missed', plan.missed);
    logger.warn({ ...momentFields(entry, moment.at), missed: plan.missed }, 'moments of a schedule were missed');
    await (plan.kind === 'fire' ? this.#fire(work, plan.at) : this.#follow(work, stepTo(work, plan.next)));
  }

  /** Whether a worker that had the moment before has stored its call. */
  async #hasFired({ delivery, moment, entry }: MomentWork): Promise<boolean> {
    const { submitter } = entry.template;
    const call = { id: scheduledCallId(moment.name, moment.at), ...(submitter !== undefined && { submitter }) };
    return this.#mayHaveBegun(delivery) && (await this.#options.queue.isKnown(call));
  }

  /**
   * Whether a worker may have stored a call for the moment that is not remembered by its id any more. Then it is in its
   * queue, or has ended lately: no worker was there since.
   */
  #mayHaveBegun({ deliveries, dueSince }: MomentDelivery): boolean {
    return deliveries > 1 || this.#options.now() - Number(dueSince) / nanosPerMs > rememberedMs / 2;
  }

  /** Stores the call for a moment, unless an earlier one is in the way. */
  async #fire(work: MomentWork, at: number): Promise<void> {
    const { entry, delivery } = work;
    const { store, queue, lookup } = this.#options;
    const before = await store.readRuns(entry.name);
    const id = scheduledCallId(entry.name, at);
    const inTheWay = await this.#findInTheWay(work, before, id);
    if (inTheWay !== undefined) {
      await this.#holdBack(work, at, inTheWay);
      return;
    }
    const target = lookup(entry.settings.function);
    if (target === undefined) {
      await this.#fail(work, at, { function: entry.settings.function, reason: 'unknown_function' });
      return;
    }
    const call = toScheduledCall({ ...entry, at }, { id, target, startTime: delivery.dueSince, lookup });
    const unique = this.#mayHaveBegun(delivery);
    const result = await queue.accept(call, { unique, derived: true, derivedMs: rememberedMs });
    await this.#settle({ work, at, call, before }, result);
  }

  async #settle(fired: Fired, result: AcceptResult): Promise<void> {
    const { work, at, call, before } = fired;
    const isKnown = result.kind === 'replayed' || (result.kind === 'refused' && result.reason === 'conflict');
    if (result.kind === 'stored' || isKnown) {
      const startTime = result.kind === 'replayed' ? result.earlier.startTime : call.startTime;
      const { function: name, queue } = call;
      const added: ScheduleRun = { ...identityOf(call), startTime, at, function: name, queue };
      if (result.kind === 'stored') {
        this.#tell(fired);
      }
      await this.#follow(work, { ...stepTo(work, this.#nextAfter(work, at)), run: { added, before } });
      return;
    }
    const reason = result.kind === 'refused' ? result.reason : result.kind;
    const fields = { ...momentFields(work.entry, at), function: call.function, queue: call.queue, reason };
    if (result.kind === 'refused' && !final.has(result.reason)) {
      const { logger } = this.#options;
      logger.warn({ ...fields, detail: result.detail }, 'the call of a schedule could not be stored yet');
      work.delivery.nak(waitOf(retryMs, work.delivery.deliveries));
      return;
    }
    await this.#fail(work, at, fields);
  }

  #tell({ work: { entry }, at, call }: Fired): void {
    const { metrics, logger, onStored, now } = this.#options;
    const { id: callId, function: name, queue } = call;
    const lateMs = Math.max(0, Math.round(now() - dueAtOf(entry, at)));
    metrics.moments('fired', 1);
    logger.info({ ...momentFields(entry, at), callId, function: name, queue, lateMs }, 'schedule has fired');
    onStored(call);
  }

  /** No call for this moment: the schedule goes on with the next one. */
  async #fail(work: MomentWork, at: number, fields: object): Promise<void> {
    const { metrics, logger } = this.#options;
    metrics.moments('failed', 1);
    logger.error({ ...momentFields(work.entry, at), ...fields }, 'the call of a schedule cannot be stored');
    await this.#follow(work, stepTo(work, this.#nextAfter(work, at)));
  }

  /** The last call of the schedule, if it has not ended and the schedule minds. */
  async #findInTheWay({ entry }: MomentWork, { runs }: StoredRuns, id: string): Promise<ScheduleRun | undefined> {
    const [last] = runs;
    const { overlap = 'allow' } = entry.settings;
    const matters = overlap !== 'allow' && last !== undefined && last.callId !== id;
    return matters && !(await this.#hasEnded(last)) ? last : undefined;
  }

  /** A call that is known no more has ended. */
  async #hasEnded(run: ScheduleRun): Promise<boolean> {
    const { calls } = this.#options;
    // A call leaves its queue only after its outcome is stored.
    const queued = await calls.findQueued(run);
    const generation = queued?.generation ?? 0;
    return queued === undefined || (await calls.findOutcome({ ...run, generation })) !== undefined;
  }

  async #holdBack(work: MomentWork, at: number, { callId }: ScheduleRun): Promise<void> {
    const { delivery, moment, entry } = work;
    const { metrics, logger, now } = this.#options;
    if (entry.settings.overlap === 'skip') {
      metrics.moments('skipped', 1);
      logger.info({ ...momentFields(entry, at), callId }, 'a moment is skipped, a call of its schedule has not ended');
      await this.#follow(work, stepTo(work, timesOf(entry.settings, entry.createdAt).next(at)));
    } else if (moment.waiting === true) {
      delivery.nak(waitOf(waitingMs, delivery.deliveries));
    } else {
      logger.info({ ...momentFields(entry, at), callId }, 'a moment waits until a call of its schedule has ended');
      const next = { moment: { ...moment, at, waiting: true }, dueAt: now() + waitingMs[0] };
      await this.#follow(work, { ...stepTo(work, at), next });
    }
  }

  /** The moment after this one. One moment waits at most, so those that came while it did are skipped. */
  #nextAfter({ moment, entry }: MomentWork, at: number): number | undefined {
    const { metrics, logger, now } = this.#options;
    const times = timesOf(entry.settings, entry.createdAt);
    const next = times.next(at);
    if (moment.waiting !== true || next === undefined || next > now()) {
      return next;
    }
    metrics.moments('skipped', 1);
    logger.info(momentFields(entry, next), 'moments are skipped, because one of the schedule waited');
    return times.next(now());
  }

  /** Stores what follows. If something has changed in the meantime, it is decided again. */
  async #follow({ delivery, entry }: MomentWork, step: MomentStep): Promise<void> {
    const { store, logger } = this.#options;
    const result = await store.follow(step);
    if (result.kind === 'stored') {
      delivery.ack();
    } else if (result.reason === 'conflict') {
      delivery.nak();
    } else {
      const fields = { schedule: entry.name, reason: result.reason, detail: result.detail };
      logger.warn(fields, 'the next moment of a schedule could not be stored yet');
      delivery.nak(waitOf(retryMs, delivery.deliveries));
    }
  }
}

/** A moment whose call was sent to its queue. */
interface Fired {
  readonly work: MomentWork;
  readonly at: number;
  readonly call: Call;
  readonly before: StoredRuns;
}

function waitOf(waits: readonly [number, ...number[]], deliveries: number): number {
  return waits[Math.min(deliveries, waits.length) - 1] ?? waits[0];
}
