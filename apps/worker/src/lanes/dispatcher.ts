import { atEndOfTick } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { CallSource, Delivery, LaneId } from '@asyncfn/queue-core/jetstream';
import { LaneGate } from '../limiter/index.ts';
import { held, type LaneLoad, type RequestKind, SlotAllocator } from './slot-allocator.ts';

/** One function's way through this worker. */
export interface Lane extends LaneId, LaneLoad {
  /** Undefined for a function that has been gone for a while: its calls are to be ended. */
  readonly config: FunctionConfig | undefined;
  /** Nothing is asked for, and what comes all the same is not run. */
  readonly paused: boolean;
  /**
   * Since when the consumer has counted deliveries, by the broker's clock: Unix time in milliseconds. Infinite while that
   * is not known.
   */
  readonly countsSince: number;
  /** Slots that it takes from the common pool. */
  readonly slotsHeld: number;
  /** Between the lane and its function. */
  readonly gate: LaneGate;
}

interface MutableLane extends Lane {
  config: FunctionConfig | undefined;
  paused: boolean;
  countsSince: number;
  inFlight: number;
  backlog: number;
}

/** What is used of a source of calls. */
export type CallRequests = Pick<CallSource, 'open' | 'request'>;

/** What is known of a lane besides the settings of its function. */
export interface LaneStatus {
  /** Default: no. */
  readonly paused?: boolean;
  /** When its consumer was created, if that is known. */
  readonly createdAt?: number | undefined;
}

export interface DispatcherOptions {
  /** Slots shared by the lanes. */
  readonly slots: number;
  /**
   * Runs one call to its end. `isFirst` says that no worker can have had it before: it was delivered once, by a consumer that
   * is older than the call. Must not reject.
   */
  readonly run: (
    delivery: Delivery,
    config: FunctionConfig | undefined,
    gate: LaneGate,
    isFirst: boolean,
  ) => Promise<void>;
  /** Hands back a call that there is no lane for. */
  readonly handBack: (delivery: Delivery) => void;
  /** Takes care of a call that has come for a function which is paused, and hands it back. */
  readonly holdBack: (delivery: Delivery) => void;
}

/** How long a request stands at the broker, by its kind, in milliseconds. */
const expiresMs: Readonly<Record<RequestKind, number>> = {
  // Long, so that a thousand idle functions are quiet.
  first: 15_000,
  // Short, because it keeps a slot from the others.
  next: 2_000,
  // Takes what is there and ends.
  backlog: 0,
};

/**
 * The lanes of a worker and the slots that they share. Decides once a tick of the event loop what to ask for, so that
 * a burst of calls that end is one request.
 */
export class Dispatcher {
  readonly #source: CallRequests;
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, MutableLane>();
  readonly #allocator: SlotAllocator<MutableLane>;
  /** The deliveries of the calls in hand, by their messages. */
  readonly #inFlight = new Map<string, Delivery>();
  #running = 0;
  #isDue = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(source: CallRequests, options: DispatcherOptions) {
    this.#source = source;
    this.#options = options;
    this.#allocator = new SlotAllocator(options.slots, (lane, count, kind) =>
      source.request(lane, count, expiresMs[kind]),
    );
  }

  /** Calls in hand. */
  get running(): number {
    return this.#running;
  }

  lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /**
   * Opens a lane, or takes over changed settings of one that is open. One that has nothing asked for, because its
   * consumer was gone for a while, asks again (P2). A lane that is paused asks for nothing.
   */
  open({ queue, function: name }: LaneId, config: FunctionConfig | undefined, status: LaneStatus = {}): void {
    const key = keyOf(queue, name);
    const lane = this.#lanes.get(key) ?? this.#addLane({ queue, function: name }, config);
    lane.config = config;
    lane.paused = status.paused ?? false;
    lane.countsSince = status.createdAt ?? Number.POSITIVE_INFINITY;
    lane.gate.adaptive = isAdaptive(config);
    this.#wake(lane);
  }

  /** Asks for no more calls of the lane. Those in hand run on. */
  close({ queue, function: name }: LaneId): void {
    const lane = this.#lanes.get(keyOf(queue, name));
    if (lane !== undefined) {
      this.#lanes.delete(keyOf(queue, name));
      this.#allocator.remove(lane);
      // Nothing is left to wait for, and a stop would not find those that do.
      lane.gate.adaptive = false;
    }
  }

  /** Takes a call that has come. */
  accept(delivery: Delivery): void {
    const lane = this.#lanes.get(keyOf(delivery.queue, delivery.function));
    const message = messageOf(delivery);
    const held = this.#inFlight.get(message);
    if (held !== undefined) {
      // Its lease ran out while the broker could not hear us, or its consumer was made again, and it runs all the same: once
      // is enough (P3).
      held.redelivered(delivery);
      this.#expect(lane, delivery.info.pending);
      return;
    }
    if (this.#stopped || lane === undefined) {
      this.#options.handBack(delivery);
      return;
    }
    if (lane.paused) {
      this.#options.holdBack(delivery);
      return;
    }
    lane.inFlight += 1;
    this.#inFlight.set(message, delivery);
    this.#running += 1;
    this.#expect(lane, delivery.info.pending);
    const run = this.#options.run(delivery, lane.config, lane.gate, isFirst(delivery, lane));
    void run.finally(() => this.#finish(lane, message));
  }

  /** The lane's consumer is gone: the next one knows nothing of what this one has delivered. */
  lost({ queue, function: name }: LaneId): void {
    const lane = this.#lanes.get(keyOf(queue, name));
    if (lane !== undefined) {
      lane.countsSince = Number.POSITIVE_INFINITY;
    }
  }

  /** A request of the lane has ended without being filled: what was thought to wait is gone. */
  unfilled({ queue, function: name }: LaneId): void {
    this.#expect(this.#lanes.get(keyOf(queue, name)), 0);
  }

  /** What waits for a lane has been counted. */
  counted({ queue, function: name }: LaneId, backlog: number): void {
    const lane = this.#lanes.get(keyOf(queue, name));
    if (lane !== undefined && lane.backlog !== backlog) {
      lane.backlog = backlog;
      this.#wake(lane);
    }
  }

  /** Lanes that have work in hand, but no slot to ask for more: whether more waits, only the broker knows. */
  lanesWithUnknownBacklog(): LaneId[] {
    return [...this.#lanes.values()].filter((lane) => lane.inFlight > 0 && lane.backlog === 0 && lane.open === 0);
  }

  /** All requests are void because the connection is new, and it is not known what consumers there are. */
  restart(): void {
    for (const lane of this.#lanes.values()) {
      lane.countsSince = Number.POSITIVE_INFINITY;
      this.#wake(lane);
    }
  }

  /** Takes no more calls. Those at their functions run on; those that wait for a limiter wait no longer. */
  stop(): void {
    this.#stopped = true;
    for (const { gate } of this.#lanes.values()) {
      gate.close();
    }
  }

  /** Resolves when no call is in hand. */
  async whenIdle(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #addLane(id: LaneId, config: FunctionConfig | undefined): MutableLane {
    const source = this.#source;
    const lane: MutableLane = {
      queue: id.queue,
      function: id.function,
      config,
      paused: false,
      countsSince: Number.POSITIVE_INFINITY,
      gate: new LaneGate({ adaptive: isAdaptive(config), onRoom: () => this.#wake(lane) }),
      inFlight: 0,
      backlog: 0,
      get open() {
        return source.open(this);
      },
      get slotsHeld() {
        return held(this);
      },
      get limit() {
        if (this.paused) {
          return 0;
        }
        // A call that is being settled is in hand, but its function has room for the next one.
        return Math.min(this.config?.concurrency ?? Number.POSITIVE_INFINITY, this.inFlight + this.gate.room);
      },
    };
    this.#lanes.set(keyOf(id.queue, id.function), lane);
    this.#allocator.add(lane);
    return lane;
  }

  /** So many calls wait for the lane. */
  #expect(lane: MutableLane | undefined, backlog: number): void {
    if (lane !== undefined) {
      lane.backlog = backlog;
      this.#wake(lane);
    }
  }

  #finish(lane: MutableLane, message: string): void {
    lane.inFlight -= 1;
    this.#inFlight.delete(message);
    this.#running -= 1;
    this.#wake(lane);
    if (this.#running === 0) {
      for (const resolve of this.#idle.splice(0)) {
        resolve();
      }
    }
  }

  #wake(lane: MutableLane): void {
    this.#allocator.changed(lane);
    if (!this.#isDue && !this.#stopped) {
      this.#isDue = true;
      atEndOfTick(() => this.#allocate());
    }
  }

  #allocate(): void {
    this.#isDue = false;
    if (this.#stopped) {
      return;
    }
    for (const lane of this.#allocator.run()) {
      if (lane.backlog > lane.open && lane.gate.room <= lane.open) {
        lane.gate.fallsShort();
      }
    }
  }
}

function isFirst({ info }: Delivery, { countsSince }: Lane): boolean {
  return info.deliveries === 1 && info.storedAtMs >= countsSince;
}

/** The calls of a function that is gone are not sent anywhere. */
function isAdaptive(config: FunctionConfig | undefined): boolean {
  return config?.adaptive ?? false;
}

function keyOf(queue: string, name: string): string {
  return `${queue}/${name}`;
}

/** With the call id, because a stream that has been made anew counts from 1 again. */
function messageOf({ queue, callId, info }: Delivery): string {
  return `${queue}/${info.streamSequence}/${callId}`;
}
