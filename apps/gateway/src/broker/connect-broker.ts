import { toStreamLimits } from '@asyncfn/queue-core';
import { type FileDefinition, FunctionRegister, withoutFile } from '@asyncfn/queue-core/functions';
import {
  Broker,
  followDeletedLanes,
  initialAckWaitMs,
  maxBodyBytes,
  Publisher,
  QueueTopology,
  SharedRegister,
  StreamRoom,
  StreamWatch,
} from '@asyncfn/queue-core/jetstream';
import { brokerAddress, type Logger, type ProcessContext } from '@asyncfn/service-kit';
import type { GatewayConfig } from '../config.ts';

/** The gateway's access to JetStream, and the state that all processes share. */
export interface BrokerLink {
  readonly register: FunctionRegister;
  readonly shared: SharedRegister;
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly limits: ReturnType<typeof toStreamLimits>;
  /** Undefined if no stream has a limit. */
  readonly room: StreamRoom | undefined;
  readonly watch: StreamWatch;
}

/** The part of `PUBLISH_TIMEOUT` for JetStream. The rest is for sending the answer in time (P1). */
const answerInTime = 0.95;

/** Sends nothing before the broker is started (`createBrokerComponent`). */
export function connectBroker(
  config: GatewayConfig,
  { logger, version, fail }: Pick<ProcessContext, 'logger' | 'version' | 'fail'>,
  file: FileDefinition | undefined,
): BrokerLink {
  const register = new FunctionRegister();
  const broker = new Broker({
    ...brokerAddress(config),
    name: `asyncfn-gateway ${version}`,
    logger,
    onFatal: fail,
  });
  const limits = toStreamLimits(config.streamMaxBytes);
  const topology = new QueueTopology(broker, {
    replicas: config.streamReplicas,
    limits,
    ackWaitMs: initialAckWaitMs,
    ownsLanes: false,
    isPaused: (name) => register.isPaused(name),
    resultTtlMs: config.resultTtlMs,
    queues: () => register.queues(),
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
  followDeletedLanes(broker, (lane) => topology.forgetLane(lane.queue, lane.function));
  warnOfSmallPayload(broker, config, logger);
  const room = config.streamMaxBytes.length > 0 ? new StreamRoom(topology) : undefined;
  const timeoutMs = config.publishTimeoutMs * answerInTime;
  const publisher = new Publisher(broker, { timeoutMs, ...(room !== undefined && { room }) });
  const watch = new StreamWatch(topology, logger);
  return { register, shared, broker, topology, publisher, limits, room, watch };
}

/** NATS refuses such a body anyway; the warning says that the setting is too high. */
function warnOfSmallPayload(broker: Broker, config: GatewayConfig, logger: Logger): void {
  broker.onConnect((connection) => {
    const largest = maxBodyBytes(connection);
    if (largest < config.maxBodyBytes) {
      logger.warn(
        { maxBodyBytes: config.maxBodyBytes, largest },
        'MAX_BODY_BYTES is more than NATS takes: raise max_payload',
      );
    }
  });
}
