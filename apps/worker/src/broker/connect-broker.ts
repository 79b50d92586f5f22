import { toStreamLimits } from '@asyncfn/queue-core';
import { type FileDefinition, FunctionRegister, withoutFile } from '@asyncfn/queue-core/functions';
import {
  Broker,
  BrokerPulse,
  Publisher,
  QueueTopology,
  SharedRegister,
  StreamRoom,
  StreamWatch,
} from '@asyncfn/queue-core/jetstream';
import { brokerAddress, type ProcessContext } from '@asyncfn/service-kit';
import type { WorkerConfig } from '../config.ts';

/** The components through which a worker uses JetStream. */
export interface BrokerLink {
  readonly register: FunctionRegister;
  readonly shared: SharedRegister;
  readonly broker: Broker;
  /** How long the broker has been silent. */
  readonly pulse: BrokerPulse;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  /** Undefined if no stream has a limit. */
  readonly room: StreamRoom | undefined;
  readonly watch: StreamWatch;
}

/** Sends nothing until the broker is started: see `createConnections`. */
export function connectBroker(
  config: WorkerConfig,
  { logger, version, fail }: Pick<ProcessContext, 'logger' | 'version' | 'fail'>,
  file: FileDefinition | undefined,
): BrokerLink {
  const register = new FunctionRegister();
  const broker = new Broker({ ...brokerAddress(config), name: `asyncfn-worker ${version}`, logger, onFatal: fail });
  const topology = new QueueTopology(broker, {
    replicas: config.streamReplicas,
    limits: toStreamLimits(config.streamMaxBytes),
    ackWaitMs: config.ackWaitMs,
    ownsLanes: true,
    isPaused: (name) => register.isPaused(name),
    mayResume: async (name) => (await shared.read(register.resolve(name)))?.entry.paused !== true,
    queues: () => config.queues ?? register.queues(),
    logger,
    onFatal: fail,
  });
  const shared = new SharedRegister({
    broker,
    topology,
    register,
    file: file ?? withoutFile(config.defaultNamespace),
    logger,
  });
  const room = config.streamMaxBytes.length > 0 ? new StreamRoom(topology) : undefined;
  const publisher = new Publisher(broker, room === undefined ? {} : { room });
  const pulse = new BrokerPulse(broker);
  const watch = new StreamWatch(topology, logger);
  return { broker, pulse, topology, publisher, register, shared, room, watch };
}
