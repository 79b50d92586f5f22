import { eventually } from '@asyncfn/testkit';
import type { Consumer, JetStreamManager } from '@nats-io/jetstream';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type FunctionConfig, FunctionRegister } from '../src/functions/index.ts';
import { type Call, createCallId } from '../src/index.ts';
import {
  type Broker,
  CallQueue,
  CallSource,
  type Delivery,
  Flows,
  type LaneId,
  Publisher,
  QueueTopology,
} from '../src/jetstream/index.ts';
import { connected, createBroker, type RecordingLogger, type TestBroker } from './connected.ts';

export type { Consumer };

export interface SideOptions {
  readonly queues?: readonly string[];
  readonly functions?: readonly FunctionConfig[];
  /** Default five minutes, so that nothing in a test is redelivered by time alone. */
  readonly ackWaitMs?: number;
  readonly publishTimeoutMs?: number;
  readonly maxPending?: number;
  readonly idempotencyWindowMs?: number;
  /** Monotonic clock of the source. */
  readonly now?: () => number;
}

interface Side extends AsyncDisposable {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly logger: RecordingLogger;
  readonly fatal: TestBroker['fatal'];
}

export interface GatewaySide extends Side {
  readonly publisher: Publisher;
  readonly queue: CallQueue;
  readonly flows: Flows;
}

export interface WorkerSide extends Side {
  readonly source: CallSource;
  readonly deliveries: Delivery[];
  readonly unfilled: LaneId[];
  readonly gone: LaneId[];
}

/** The parts of queue-core that a gateway runs, connected and ready. */
export async function startGatewaySide(url: string, options: SideOptions = {}): Promise<GatewaySide> {
  const { publishTimeoutMs = 30_000, maxPending = 16_384 } = options;
  const side = createSide(url, options, false);
  const publisher = new Publisher(side.broker, { timeoutMs: publishTimeoutMs, maxPending });
  const register = new FunctionRegister({
    functions: new Map(options.functions?.map((config) => [config.name, config])),
    fallback: undefined,
  });
  const lookup = (name: string): FunctionConfig | undefined => register.lookup(name);
  const { earliest } = side.broker.clock;
  const flows = new Flows({ topology: side.topology, publisher, lookup, earliest, logger: side.logger });
  const queue = new CallQueue({
    broker: side.broker,
    topology: side.topology,
    publisher,
    register,
    flows,
    ...(options.idempotencyWindowMs !== undefined && { idempotencyWindowMs: options.idempotencyWindowMs }),
  });
  await ready(side);
  return { ...side, publisher, queue, flows };
}

/** The parts of queue-core that a worker runs, connected and ready. */
export async function startWorkerSide(url: string, options: SideOptions = {}): Promise<WorkerSide> {
  const side = createSide(url, options, true);
  const deliveries: Delivery[] = [];
  const unfilled: LaneId[] = [];
  const gone: LaneId[] = [];
  const listener = {
    onDelivery: (delivery: Delivery) => void deliveries.push(delivery),
    onUnfilled: (lane: LaneId) => void unfilled.push({ queue: lane.queue, function: lane.function }),
    onLaneGone: (lane: LaneId) => void gone.push({ queue: lane.queue, function: lane.function }),
  };
  const source = new CallSource(side.broker, listener, options.now);
  await ready(side);
  return { ...side, source, deliveries, unfilled, gone };
}

/** Tests read very much at once, on a machine that may be busy. */
const patienceMs = 120_000;

function createSide(url: string, { queues = [], ackWaitMs = 300_000 }: SideOptions, ownsLanes: boolean): Side {
  const { broker, logger, fatal } = createBroker(url);
  const onFatal = (error: (typeof fatal)[number]): void => void fatal.push(error);
  const topology = new QueueTopology(broker, {
    replicas: 1,
    ackWaitMs,
    readWaitMs: patienceMs,
    ownsLanes,
    queues: () => queues,
    logger,
    onFatal,
  });
  return { broker, topology, logger, fatal, [Symbol.asyncDispose]: () => broker.stop() };
}

async function ready({ broker, topology }: Side): Promise<void> {
  broker.start();
  await connected(broker);
  await eventually(() => topology.ready);
}

/** A direct view of the broker: a plain connection and its manager. */
export async function openManager(
  url: string,
): Promise<AsyncDisposable & { connection: NatsConnection; manager: JetStreamManager }> {
  const connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  return { connection, manager, [Symbol.asyncDispose]: () => connection.close() };
}

/** A function as in a functions file. */
export function functionConfig(name: string, queue: string, concurrency?: number): FunctionConfig {
  const retry = {
    attempts: undefined,
    minWaitMs: undefined,
    maxWaitMs: undefined,
    backoff: undefined,
    codes: undefined,
  };
  return {
    name,
    url: 'http://function',
    queue,
    timeoutMs: 0,
    concurrency,
    maxPending: undefined,
    adaptive: true,
    retry,
  };
}

/** A call with a body that tells it from others. */
export function buildCall(queue: string, changes: Partial<Call> = {}): Call {
  const id = changes.id ?? createCallId();
  return {
    id,
    function: 'echo',
    queue,
    path: '',
    query: '',
    headers: [],
    startTime: '1700000000000000000',
    retry: 0,
    body: new TextEncoder().encode(`body of ${id}`),
    ...changes,
  };
}
