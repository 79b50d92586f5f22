import { type FileDefinition, FunctionRegister } from '../functions/index.ts';
import { type StreamLimit, type StreamLimits, toStreamLimits } from '../stream-limits.ts';
import { BodyConnection, BodyPace, BodyStore } from './bodies/index.ts';
import { Broker, type BrokerOptions } from './connecting/index.ts';
import { EventPublisher } from './events/index.ts';
import { Flows } from './flows/index.ts';
import { QueueTopology, StreamRoom, StreamWatch, type TopologyOptions } from './layout/index.ts';
import { Publisher, type PublisherOptions } from './publish/index.ts';
import { SharedRegister } from './register/index.ts';

/** The parts of JetStream that a process uses, and the functions that all processes share. */
export interface BrokerLink {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly register: FunctionRegister;
  readonly shared: SharedRegister;
  /** Bodies that are stored apart from their calls. */
  readonly bodies: BodyStore;
  /** What their chunks take. */
  readonly bodyConnection: BodyConnection;
  readonly limits: StreamLimits;
  /** Undefined if no stream has a limit. */
  readonly room: StreamRoom | undefined;
  readonly watch: StreamWatch;
  /** Tells listeners what happens to calls. */
  readonly events: EventPublisher;
  /** Gives calls with a flow key their turns. */
  readonly flows: Flows;
}

interface BrokerLinkOptions {
  readonly broker: BrokerOptions;
  /** Queues default to those of the register. */
  readonly topology: Pick<TopologyOptions, 'replicas' | 'ackWaitMs' | 'ownsLanes' | 'resultTtlMs'> &
    Partial<Pick<TopologyOptions, 'queues'>>;
  readonly publisher?: Pick<PublisherOptions, 'timeoutMs'>;
  /** What large bodies may take however busy the process is, in bytes per second. */
  readonly minBodyRate: number;
  readonly streamMaxBytes: readonly StreamLimit[];
  /** The functions file's definition at the start. */
  readonly file: FileDefinition;
}

/** Sends nothing before the broker is started. */
export function createBrokerLink(options: BrokerLinkOptions): BrokerLink {
  const { logger, onFatal } = options.broker;
  const register = new FunctionRegister();
  const broker = new Broker(options.broker);
  const limits = toStreamLimits(options.streamMaxBytes);
  const topology = new QueueTopology(broker, {
    queues: () => register.queues(),
    ...options.topology,
    limits,
    isPaused: (name) => register.isPaused(name),
    mayResume: (name) => shared.mayResume(register.resolve(name)),
    logger,
    onFatal,
  });
  const shared = new SharedRegister({ broker, topology, register, file: options.file, logger });
  const room = options.streamMaxBytes.length > 0 ? new StreamRoom(topology) : undefined;
  const publishing = { ...options.publisher, ...(room !== undefined && { room }) };
  const publisher = new Publisher(broker, publishing);
  const bodyConnection = new BodyConnection({ broker, publisher }, options.broker, publishing);
  return {
    broker,
    topology,
    publisher,
    register,
    shared,
    bodies: new BodyStore({
      broker,
      topology,
      publisher,
      connection: bodyConnection,
      pace: new BodyPace({ minRate: options.minBodyRate, sent: () => broker.connection?.stats().outMsgs ?? 0 }),
    }),
    bodyConnection,
    limits,
    room,
    watch: new StreamWatch(topology, logger),
    events: new EventPublisher(broker),
    flows: new Flows({
      topology,
      publisher,
      lookup: (name) => register.lookup(name),
      earliest: broker.clock.earliest,
      logger,
    }),
  };
}
