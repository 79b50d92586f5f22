import { forEachLimited, QueueError } from '@asyncfn/queue-core';
import type { FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import type { LaneId, LaneState, QueueTopology } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { Dispatcher } from './dispatcher.ts';
import { IdleLanes } from './idle-lanes.ts';
import { OrphanLanes } from './orphan-lanes.ts';

/** What is used of the topology. */
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

/** What is used of the dispatcher. */
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
   * Whether the register has been read on the present connection. What a worker knows before is its functions file, or
   * out of date: neither says who is paused. Default: yes.
   */
  readonly isCurrent?: () => boolean;
  /** Told of a lane whose consumer was removed. Default: nobody. */
  readonly onRemoved?: (lane: LaneId) => void;
  /** Told of a lane whose consumer may hand out calls that it did not hand out before. Default: not told. */
  readonly onLoosened?: (lane: LaneId) => void;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * How long the consumer of a function has nothing to do before it is removed that need not be there: the function has
 * moved to another queue, or exists by `defaults.url` alone, so that clients make as many as they find names.
 */
export const idleMs = 10 * 60_000;

/** What a lane costs that is asked for alone, against one in the list of all: with many functions few are blind. */
const timesDearer = 8;

/** The broker tells of a new consumer within this time, in milliseconds. */
const advisoryDelayMs = 250;

/** How long the place of a removed consumer is watched: a gateway may have stored a call there in the last moment. */
const watchMs = 60_000;

/**
 * How many consumers are made sure of at once. JetStream makes one after the other, which takes it 8 ms each for 10,000: with
 * eight at once that is no faster, and other requests to its API time out.
 */
const maxEnsured = 2;

interface RemovedLane {
  readonly id: LaneId;
  readonly until: number;
}

/** What a consumer was set up for, as far as it decides which calls are handed out. */
interface Served {
  readonly paused: boolean | undefined;
  readonly concurrency: number | undefined;
}

/**
 * Keeps the worker's lanes in step with what exists: a lane for each function of the register, and for each function
 * that a gateway has opened a consumer for. Works by comparing, so whatever message gets lost, the next round heals it.
 */
export class LaneReconciler {
  readonly #options: LaneReconcilerOptions;
  readonly #now: () => number;
  readonly #open = new Map<string, LaneId>();
  readonly #orphans = new OrphanLanes();
  readonly #idle = new IdleLanes();
  /** Names that calls were found under that are not the one name of their function, each told once. */
  readonly #secondNames = new Set<string>();
  /** Places of consumers that were removed, each until when it is watched. */
  readonly #removed = new Map<string, RemovedLane>();
  readonly #served = new Map<string, Served>();

  constructor(options: LaneReconcilerOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /**
   * Takes over what the register says now, without asking the broker what there is: a change is in force as soon as may
   * be. Throws `QueueError` when the broker does not answer.
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

  /** One round: opens, refreshes and closes lanes. Throws `QueueError` when the broker does not answer. */
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
   * Brings the lane and its consumer to what the register says. A pause is in force for this worker at once, all else when
   * it is for its consumer.
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
      // A gateway may have made the consumer, and does not know our lease.
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

  /** Whether the consumer has to be there, also without calls. */
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

  /** Keeps nothing of the lane but its place, which is watched for a while. */
  #forget(id: LaneId): void {
    this.#open.delete(keyOf(id));
    this.#served.delete(keyOf(id));
    this.#idle.forget(keyOf(id));
    this.#options.dispatcher.close(id);
    this.#options.onRemoved?.(id);
    this.#removed.set(keyOf(id), { id, until: this.#now() + watchMs });
  }

  /** A call that was stored while its consumer was removed has nobody who hands it out, unless we see to it (P2). */
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
   * A consumer has been created: its function may have its first call.
   * @param createdAt when it was told of, by the broker's clock: Unix time in milliseconds
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

  /** A consumer has been paused or resumed, or its pause has ended. */
  pauseChanged(id: LaneId): void {
    if (this.#open.has(keyOf(id))) {
      this.#options.onLoosened?.(id);
    }
  }

  /** A consumer has vanished: it is set up again while it is needed. Throws `QueueError`. */
  async restore(id: LaneId): Promise<void> {
    const { register, topology, dispatcher } = this.#options;
    const config = register.lookup(id.function);
    topology.forgetLane(id.queue, id.function);
    dispatcher.lost(id);
    if (!this.#isCurrent) {
      return; // the round that follows when it is makes the consumer
    }
    if (config === undefined) {
      dispatcher.close(id);
      return;
    }
    if (!this.#isNeeded(id) && !(await topology.hasCalls(id.queue, id.function))) {
      this.#forget(id); // removed by another worker, for want of calls
      return;
    }
    await this.#ensure(config, id);
    this.#openLane(id);
    dispatcher.unfilled(id);
  }

  /** Counts what waits for busy lanes that have no slot to ask with. Throws `QueueError`. */
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

  /** The settings are those of the function, whichever of its names and queues the calls were stored under. */
  #ensure(config: FunctionConfig, { queue, function: name }: LaneId): Promise<void> {
    const { register, topology } = this.#options;
    return topology.ensureFunction({ ...config, name, queue, paused: register.isPaused(name) });
  }

  /**
   * Calls were stored under a name with the namespace that may be left out: before that was so, or by a gateway that does not
   * know of it. They run, but under a cap of their own.
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

/** What the broker refuses for one lane is no reason to leave the others: it is told when all have had their turn. */
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
