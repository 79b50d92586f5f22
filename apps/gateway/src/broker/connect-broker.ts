import { type FileDefinition, withoutFile } from '@asyncfn/queue-core/functions';
import {
  type Broker,
  type BrokerLink,
  createBrokerLink,
  followDeletedLanes,
  initialAckWaitMs,
  maxBodyBytes,
} from '@asyncfn/queue-core/jetstream';
import { brokerAddress, type Logger, type ProcessContext } from '@asyncfn/service-kit';
import type { GatewayConfig } from '../config.ts';

/** The part of `PUBLISH_TIMEOUT` for JetStream. The rest is for sending the answer in time (P1). */
const answerInTime = 0.95;

/** Sends nothing before the broker is started (`createBrokerComponent`). */
export function connectBroker(
  config: GatewayConfig,
  { logger, version, fail }: Pick<ProcessContext, 'logger' | 'version' | 'fail'>,
  file: FileDefinition | undefined,
): BrokerLink {
  const { streamReplicas: replicas, resultTtlMs, streamMaxBytes } = config;
  const link = createBrokerLink({
    broker: { ...brokerAddress(config), name: `asyncfn-gateway ${version}`, logger, onFatal: fail },
    topology: { replicas, ackWaitMs: initialAckWaitMs, ownsLanes: false, resultTtlMs },
    publisher: { timeoutMs: config.publishTimeoutMs * answerInTime },
    streamMaxBytes,
    file: file ?? withoutFile(config.defaultNamespace),
  });
  followDeletedLanes(link.broker, (lane) => link.topology.forgetLane(lane.queue, lane.function));
  warnOfSmallPayload(link.broker, config, logger);
  return link;
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
