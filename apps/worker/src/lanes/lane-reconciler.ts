import { forEachLimited, QueueError } from '@asyncfn/queue-core';
import type { FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import type { LaneId, LaneState, QueueTopology } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { Dispatcher } from './dispatcher.ts';
import { IdleLanes } from './idle-lanes.ts';
import { OrphanLanes } from './orphan-lanes.ts';

/** The part of the topology that the reconciler uses. */
export type LaneTopology = Pick<
  QueueTopology,
  | 'ensureFunction'
  | 'findLane'
  | 'listQueues'
  | 'listLanes'
  | 'hasScheduled'
  | 'hasCalls'
  | 'removeLane'
  | 'forgetLane'
  | 'laneCreatedAt'
>;

/** The part of the dispatcher that the reconciler uses. */
export type LaneDispatcher = Pick<
  Dispatcher,
  'open' | 'close' | 'lost' | 'unfilled' | 'counted' | 'lanesWithUnknownBacklog'
>;

export interface LaneReconcilerOptions {
  readonly register: FunctionRegister;
  readonly topology: LaneTopology;
  readonly dispatcher: LaneDispatcher;
  readonly logger: Logger;
  /** The queues to serve; undefined is all. */
  readonly queues: readonly string[] | undefined;
  /**
   * Whether the register has been read on the current connection. Before that, a worker only knows its functions file
   * or an outdated register, and neither says which functions are paused. Default: yes.
   */
  readonly isCurrent?: () => boolean;
  /** Called for a lane whose consumer was removed. Default: not called. */
  readonly onRemoved?: (lane: LaneId) => void;
  /** Called for a lane whose consumer may now deliver calls that it did not deliver before. Default: not called. */
  readonly onLoosened?: (lane: LaneId) => void;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * How long a consumer that need not exist must be idle before it is removed: its function has moved to another queue,
 * or exists only by `defaults.url`, so that clients create as many as they find names.
 */
export const idleMs = 10 * 60_000;

/**
 * What counting one lane alone costs, relative to one in the list of all: with many functions, few backlogs are
 * unknown.
 */
const timesDearer = 8;

/** The broker reports a new consumer within this time, in milliseconds. */
const advisoryDelayMs = 250;

/** How long the subject of a removed consumer is watched: a gateway may have stored a call there at the last moment. */
const watchMs = 60_000;

/**
 * How many consumers are ensured at once. JetStream creates one after the other, in 8 ms each for 10,000: eight at once
 * are no faster, and let other requests to its API time out.
 */
const maxEnsured = 2;

interface RemovedLane {
  readonly id: LaneId;
  readonly until: number;
}

/** The settings of a consumer that decide which calls it delivers. */
interface Served {
  readonly paused: boolean | undefined;
  readonly concurrency: number | undefined;
}

/**
 * Reconciles the worker's lanes with what exists: a lane for each function of the register, and for each function that
 * a gateway has created a consumer for. It compares states, so the next round repairs whatever a lost message has
 * missed.
 */
export class LaneReconciler {
  readonly #options: LaneReconcilerOptions;
  readonly #now: () => number;
  readonly #open = new Map<string, LaneId>();
  readonly #orphans = new OrphanLanes();
  readonly #idle = new IdleLanes();
  /** Second names of functions under which calls were found; each is logged once. */
  readonly #secondNames = new Set<string>();
  /** Removed consumers, and until when each is watched. */
  readonly #removed = new Map<string, RemovedLane>();
  readonly #served = new Map<string, Served>();

  constructor(options: LaneReconcilerOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /**
   * Applies the register as it is now, without listing what exists at the broker, so that a change takes effect as soon
   * as possible. Throws `QueueError` if the broker does not answer.
   */
  async refresh(): Promise<void> {
    const refusals: QueueError[] = [];
    await this.#refresh(refusals);
    throwFirst(refusals);
  }

  async #refresh(refusals: QueueError[]): Promise<void> {
    if (!this.#isCurrent) {
      return;
    }
    this.#closeUnregistered();
    const registered = this.#options.register.list().filter(({ queue }) => this.#serves(queue));
    const ids = new Map(
      registered.map(({ queue, name }) => [keyOf({ queue, function: name }), { queue, function: name }]),
    );
    const all = [...new Map([...this.#open, ...ids]).values()];
    await forEachLimited(all, maxEnsured, (id) => this.#serve(id, refusals));
  }

  /** Runs one round: opens, refreshes and closes lanes. Throws `QueueError` if the broker does not answer. */
  async reconcile(): Promise<void> {
    const { topology } = this.#options;
    if (!this.#isCurrent) {
      return;
    }
    const refusals: QueueError[] = [];
    await this.#refresh(refusals);
    for (const queue of (await topology.listQueues()).filter((each) => this.#serves(each))) {
      for (const lane of await topology.listLanes(queue)) {
        await onItsOwn(refusals, () => this.#reconcileLane(queue, lane, refusals));
      }
    }
    for (const [key, removed] of this.#removed) {
      await onItsOwn(refusals, () => this.#watchRemoved(key, removed));
    }
    throwFirst(refusals);
  }

  get #isCurrent(): boolean {
    return this.#options.isCurrent?.() ?? true;
  }

  /**
   * Makes the lane and its consumer match the register. A pause takes effect in this worker at once, everything else
   * with the consumer.
   */
  async #serve(id: LaneId, refusals: QueueError[]): Promise<void> {
    const { register, onLoosened } = this.#options;
    const config = register.lookup(id.function);
    if (config === undefined) {
      return;
    }
    const now = { paused: register.isPaused(id.function), concurrency: config.concurrency };
    const before = this.#served.get(keyOf(id));
    if (now.paused) {
      this.#openLane(id);
    }
    await onItsOwn(refusals, () => this.#ensure(config, id));
    this.#served.set(keyOf(id), now);
    this.#openLane(id);
    if (before !== undefined && (before.paused !== now.paused || before.concurrency !== now.concurrency)) {
      onLoosened?.(id);
    }
  }

  async #reconcileLane(queue: string, state: LaneState, refusals: QueueError[]): Promise<void> {
    const id = { queue, function: state.function };
    const { register, topology, dispatcher, logger } = this.#options;
    const config = register.lookup(state.function);
    if (config !== undefined) {
      this.#orphans.forget(keyOf(id));
      if (!this.#isNeeded(id) && (await this.#removeIdle(id, state))) {
        return;
      }
      const paused = register.isPaused(state.function);
      if (paused !== undefined && paused !== state.paused) {
        topology.forgetLane(queue, state.function);
        this.#served.set(keyOf(id), { paused: state.paused, concurrency: config.concurrency });
      }
      this.#warnOfSecondName(id, state);
      // A gateway may have created the consumer, and does not know our lease.
      await this.#serve(id, refusals);
      return;
    }
    const idle = state.pending === 0 && state.inFlight === 0;
    const empty = idle && !(await topology.hasScheduled(queue, state.function));
    if (!empty && this.#orphans.isNew(keyOf(id))) {
      logger.warn({ ...id, pending: state.pending }, 'calls wait for a function that is not registered');
    }
    const verdict = this.#orphans.see(keyOf(id), empty, this.#now());
    if (verdict === 'end_calls') {
      dispatcher.open(id, undefined);
    } else if (verdict === 'remove') {
      await this.#remove(id);
      this.#orphans.forget(keyOf(id));
      logger.info(id, 'consumer of a function that is gone removed');
    }
  }

  /** Whether the consumer must exist even without calls. */
  #isNeeded({ queue, function: name }: LaneId): boolean {
    const { register } = this.#options;
    return register.isRegistered(name) && register.lookup(name)?.queue === queue;
  }

  async #removeIdle(id: LaneId, { pending, inFlight, deliveredSequence }: LaneState): Promise<boolean> {
    const { topology, logger } = this.#options;
    const idleForMs = this.#idle.see(
      keyOf(id),
      { idle: pending === 0 && inFlight === 0, deliveredSequence },
      this.#now(),
    );
    if (idleForMs < idleMs || (await topology.hasCalls(id.queue, id.function))) {
      return false;
    }
    await this.#remove(id);
    logger.info(id, 'consumer that has had nothing to do removed');
    return true;
  }

  async #remove(id: LaneId): Promise<void> {
    this.#forget(id);
    await this.#options.topology.removeLane(id.queue, id.function);
  }

  /** Forgets the lane, but watches its subject for a while. */
  #forget(id: LaneId): void {
    this.#open.delete(keyOf(id));
    this.#served.delete(keyOf(id));
    this.#idle.forget(keyOf(id));
    this.#options.dispatcher.close(id);
    this.#options.onRemoved?.(id);
    this.#removed.set(keyOf(id), { id, until: this.#now() + watchMs });
  }

  /**
   * A call that was stored while its consumer was removed would never be delivered, so the consumer is recreated (P2).
   */
  async #watchRemoved(key: string, { id, until }: RemovedLane): Promise<void> {
    const { register, topology } = this.#options;
    const config = register.lookup(id.function);
    if (config !== undefined && (await topology.hasCalls(id.queue, id.function))) {
      await this.#ensure(config, id);
      this.#openLane(id);
      this.#removed.delete(key);
    } else if (until <= this.#now()) {
      this.#removed.delete(key);
    }
  }

  /**
   * A consumer has been created: its function may have received its first call.
   * @param createdAt when the broker reported it, by its own clock: Unix time in milliseconds
   */
  created(id: LaneId, createdAt: number): void {
    const { topology, logger } = this.#options;
    if (!this.#isCurrent || !this.#serves(id.queue)) {
      return;
    }
    const known = topology.laneCreatedAt(id.queue, id.function);
    if (known !== undefined && known > createdAt - advisoryDelayMs) {
      this.#openLane(id);
      return;
    }
    topology.forgetLane(id.queue, id.function);
    this.#openLane(id);
    this.#serve(id, []).catch((err: unknown) => logger.warn({ ...id, err }, 'lane could not be set up yet'));
  }

  /** A consumer has been paused or resumed, or its pause has expired. */
  pauseChanged(id: LaneId): void {
    if (this.#open.has(keyOf(id))) {
      this.#options.onLoosened?.(id);
    }
  }

  /** A consumer has vanished: recreates it if it is needed. Throws `QueueError`. */
  async restore(id: LaneId): Promise<void> {
    const { register, topology, dispatcher } = this.#options;
    const config = register.lookup(id.function);
    topology.forgetLane(id.queue, id.function);
    dispatcher.lost(id);
    if (!this.#isCurrent) {
      return; // the round that runs once the register is current creates the consumer
    }
    if (config === undefined) {
      dispatcher.close(id);
      return;
    }
    if (!this.#isNeeded(id) && !(await topology.hasCalls(id.queue, id.function))) {
      this.#forget(id); // another worker removed it because it had no calls
      return;
    }
    await this.#ensure(config, id);
    this.#openLane(id);
    dispatcher.unfilled(id);
  }

  /** Counts the backlog of busy lanes that have no slot to request calls with. Throws `QueueError`. */
  async countUnknownBacklogs(): Promise<void> {
    const { topology, dispatcher } = this.#options;
    const blind = dispatcher.lanesWithUnknownBacklog();
    if (blind.length * timesDearer <= this.#open.size) {
      await Promise.all(blind.map((id) => this.#countLane(id)));
      return;
    }
    for (const queue of new Set(blind.map((lane) => lane.queue))) {
      for (const { function: name, pending } of await topology.listLanes(queue)) {
        dispatcher.counted({ queue, function: name }, pending);
      }
    }
  }

  async #countLane({ queue, function: name }: LaneId): Promise<void> {
    const state = await this.#options.topology.findLane(queue, name);
    this.#options.dispatcher.counted({ queue, function: name }, state?.pending ?? 0);
  }

  /** The settings are those of the function, under whichever of its names and queues the calls were stored. */
  #ensure(config: FunctionConfig, { queue, function: name }: LaneId): Promise<void> {
    const { register, topology } = this.#options;
    return topology.ensureFunction({ ...config, name, queue, paused: register.isPaused(name) });
  }

  /**
   * Calls were stored under a name that includes the default namespace: before DEFAULT_NAMESPACE was set, or by a
   * gateway without it. They run, but under a cap of their own.
   */
  #warnOfSecondName({ queue, function: calledBy }: LaneId, { pending, inFlight }: LaneState): void {
    const { register, logger } = this.#options;
    const name = register.resolve(calledBy);
    if (name !== calledBy && pending + inFlight > 0 && !this.#secondNames.has(calledBy)) {
      this.#secondNames.add(calledBy);
      logger.warn(
        { function: name, calledBy, queue, pending },
        'calls of a function wait under its second name: from before DEFAULT_NAMESPACE was set, or by a gateway without it',
      );
    }
  }

  #openLane(id: LaneId): void {
    const { register, dispatcher, topology } = this.#options;
    const config = register.lookup(id.function);
    if (config !== undefined) {
      const paused = register.isPaused(id.function) ?? true;
      this.#open.set(keyOf(id), id);
      dispatcher.open(id, config, { paused, createdAt: topology.laneCreatedAt(id.queue, id.function) });
    }
  }

  #closeUnregistered(): void {
    for (const [key, id] of this.#open) {
      if (this.#options.register.lookup(id.function) === undefined) {
        this.#open.delete(key);
        this.#served.delete(key);
        this.#options.dispatcher.close(id);
      }
    }
  }

  #serves(queue: string): boolean {
    return this.#options.queues === undefined || this.#options.queues.includes(queue);
  }
}

function keyOf({ queue, function: name }: LaneId): string {
  return `${queue}/${name}`;
}

function throwFirst([first]: readonly QueueError[]): void {
  if (first !== undefined) {
    throw first;
  }
}

/** A refusal for one lane does not stop the others: it is thrown after all of them. */
async function onItsOwn(refusals: QueueError[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof QueueError && error.refused)) {
      throw error;
    }
    refusals.push(error);
  }
}
