import { atEndOfTick } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { CallSource, Delivery, LaneId } from '@asyncfn/queue-core/jetstream';
import { type Entrance, LaneGate } from '../limiter/index.ts';
import { RatedEntrance, type RateShare, type RateShares } from '../rates/index.ts';
import { RotatingMap } from '../rotating-map.ts';
import { held, type LaneLoad, type RequestKind, SlotAllocator } from './slot-allocator.ts';

/** One function in one queue, as this worker serves it. */
export interface Lane extends LaneId, LaneLoad {
  /** Undefined for a function that has been gone for a while: the worker ends its calls. */
  readonly config: FunctionConfig | undefined;
  /** The worker requests no calls, and does not run calls that come nevertheless. */
  readonly paused: boolean;
  /**
   * Since when the consumer has counted deliveries, by the broker's clock: Unix time in milliseconds. Infinite while
   * unknown.
   */
  readonly countsSince: number;
  /** Slots that it takes from the common pool. */
  readonly slotsHeld: number;
  /** Between the lane and its function. */
  readonly gate: LaneGate;
  /** Its share in the starts of the function's rate; undefined for a function without one. */
  readonly share: RateShare | undefined;
}

interface MutableLane extends Lane {
  config: FunctionConfig | undefined;
  paused: boolean;
  countsSince: number;
  inFlight: number;
  backlog: number;
  share: RateShare | undefined;
}

/** The part of a call source that the dispatcher uses. */
export type CallRequests = Pick<CallSource, 'open' | 'request'>;

/** The status of a lane beside the settings of its function. */
export interface LaneStatus {
  /** Default: no. */
  readonly paused?: boolean;
  /** When its consumer was created, if known. */
  readonly createdAt?: number | undefined;
}

export interface DispatcherOptions {
  /** Slots shared by the lanes. */
  readonly slots: number;
  /**
   * Runs one call to its end. `isFirst`: no worker can have had it before, since a consumer older than the call has
   * delivered it once. Must not reject.
   */
  readonly run: (
    delivery: Delivery,
    config: FunctionConfig | undefined,
    gate: Entrance,
    isFirst: boolean,
  ) => Promise<void>;
  /** The shares in the starts of functions with a rate. */
  readonly rates: Pick<RateShares, 'open' | 'close'>;
  /** Hands back a call that has no lane. */
  readonly handBack: (delivery: Delivery) => void;
  /** Handles a call that has come for a paused function: pauses its consumer and hands the call back. */
  readonly holdBack: (delivery: Delivery) => void;
}

/** How long a request stays at the broker, by its kind, in milliseconds. */
const expiresMs: Readonly<Record<RequestKind, number>> = {
  // Long, so that a thousand idle functions are quiet.
  first: 15_000,
  // Short, because it keeps a slot from other lanes.
  next: 2_000,
  // Takes what is waiting and ends.
  backlog: 0,
};

/**
 * The lanes of a worker and the slots that they share. Decides once per tick of the event loop what to request, so that
 * a burst of ending calls leads to one request.
 */
export class Dispatcher {
  readonly #source: CallRequests;
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, MutableLane>();
  readonly #allocator: SlotAllocator<MutableLane>;
  /** The deliveries in flight, by their messages. */
  readonly #inFlight = new RotatingMap<string, Delivery>();
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

  /** Calls in flight. */
  get running(): number {
    return this.#running;
  }

  lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /**
   * Opens a lane, or applies changed settings to an open one. A lane without open requests, because its consumer was
   * gone for a while, requests calls again (P2). A paused lane requests nothing.
   */
  open({ queue, function: name }: LaneId, config: FunctionConfig | undefined, status: LaneStatus = {}): void {
    const key = keyOf(queue, name);
    const lane = this.#lanes.get(key) ?? this.#addLane({ queue, function: name }, config);
    lane.config = config;
    lane.paused = status.paused ?? false;
    lane.countsSince = status.createdAt ?? Number.POSITIVE_INFINITY;
    lane.gate.adaptive = isAdaptive(config);
    this.#follow(lane, config);
    this.#wake(lane);
  }

  /** Requests no more calls of the lane. Those in flight run on. */
  close({ queue, function: name }: LaneId): void {
    const lane = this.#lanes.get(keyOf(queue, name));
    if (lane !== undefined) {
      this.#lanes.delete(keyOf(queue, name));
      this.#allocator.remove(lane);
      // Releases waiting calls: a stop would not find them.
      lane.gate.adaptive = false;
      this.#follow(lane, undefined);
    }
  }

  /** Takes a call that has come. */
  accept(delivery: Delivery): void {
    const lane = this.#lanes.get(keyOf(delivery.queue, delivery.function));
    const message = messageOf(delivery);
    const held = this.#inFlight.get(message);
    if (held !== undefined) {
      // The lease ran out while the broker was unreachable, or the consumer was recreated, but the call still runs:
      // once is enough (P3).
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
    const rated = lane.share && new RatedEntrance(lane.gate, lane.share);
    const run = this.#options.run(delivery, lane.config, rated ?? lane.gate, isFirst(delivery, lane));
    void run.finally(() => {
      rated?.release();
      this.#finish(lane, message);
    });
  }

  /** The lane's consumer is gone: the next one does not know what this one has delivered. */
  lost({ queue, function: name }: LaneId): void {
    const lane = this.#lanes.get(keyOf(queue, name));
    if (lane !== undefined) {
      lane.countsSince = Number.POSITIVE_INFINITY;
    }
  }

  /** A request of the lane has ended unfilled: nothing waits any more. */
  unfilled({ queue, function: name }: LaneId): void {
    this.#expect(this.#lanes.get(keyOf(queue, name)), 0);
  }

  /** The backlog of a lane has been counted. */
  counted({ queue, function: name }: LaneId, backlog: number): void {
    const lane = this.#lanes.get(keyOf(queue, name));
    if (lane !== undefined && lane.backlog !== backlog) {
      lane.backlog = backlog;
      this.#wake(lane);
    }
  }

  /** Lanes that have calls in flight, but no slot to request more: only the broker knows whether more calls wait. */
  lanesWithUnknownBacklog(): LaneId[] {
    return [...this.#lanes.values()].filter((lane) => lane.inFlight > 0 && lane.backlog === 0 && lane.open === 0);
  }

  /** The connection is new: all requests are void, and it is unknown which consumers exist. */
  restart(): void {
    for (const lane of this.#lanes.values()) {
      lane.countsSince = Number.POSITIVE_INFINITY;
      this.#wake(lane);
    }
  }

  /** Takes no more calls. Those at their functions run on; those that wait for a limiter are released. */
  stop(): void {
    this.#stopped = true;
    for (const { gate, share } of this.#lanes.values()) {
      gate.close();
      share?.shut();
    }
  }

  /** Resolves when no call is in flight. */
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
      share: undefined,
      get open() {
        return source.open(this);
      },
      get slotsHeld() {
        return held(this);
      },
      get limit() {
        const ceiling = ceilingOf(this);
        return this.share === undefined ? ceiling : Math.min(ceiling, this.inFlight + this.share.room);
      },
    };
    this.#lanes.set(keyOf(id.queue, id.function), lane);
    this.#allocator.add(lane);
    return lane;
  }

  /** Gives the lane a share in the rate of its function, if that has one. */
  #follow(lane: MutableLane, config: FunctionConfig | undefined): void {
    const { rates } = this.#options;
    const { name = '', rate } = config ?? {};
    if (lane.share !== undefined && rate === undefined) {
      rates.close(lane.share);
      lane.share = undefined;
    } else if (rate !== undefined) {
      lane.share ??= rates.open(name, rate, () => this.#wake(lane));
      lane.share.rate = rate;
    }
  }

  /** The lane's backlog is known. */
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
      if (lane.share !== undefined) {
        const room = Math.min(ceilingOf(lane) - lane.inFlight, Math.max(1, this.#allocator.free + lane.open));
        lane.share.demand = Math.max(0, Math.min(lane.backlog, room));
      }
    }
  }
}

/** Most calls that the worker may have in flight for the lane, but for its rate. */
function ceilingOf({ paused, config, inFlight, gate }: Lane): number {
  // A call that is being settled is in flight, but its function has room for the next one.
  return paused ? 0 : Math.min(config?.concurrency ?? Number.POSITIVE_INFINITY, inFlight + gate.room);
}

function isFirst({ info }: Delivery, { countsSince }: Lane): boolean {
  return info.deliveries === 1 && info.storedAtMs >= countsSince;
}

/** The calls of a removed function are not sent anywhere, so they need no limiter. */
function isAdaptive(config: FunctionConfig | undefined): boolean {
  return config?.adaptive ?? false;
}

function keyOf(queue: string, name: string): string {
  return `${queue}/${name}`;
}

/** Includes the call id, because a recreated stream counts from 1 again. */
function messageOf({ queue, callId, info }: Delivery): string {
  return `${queue}/${info.streamSequence}/${callId}`;
}
