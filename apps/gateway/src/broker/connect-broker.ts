import { type FileDefinition, withoutFile } from '@asyncfn/queue-core/functions';
import { type BrokerLink, createBrokerLink, followDeletedLanes, initialAckWaitMs } from '@asyncfn/queue-core/jetstream';
import { brokerAddress, type ProcessContext } from '@asyncfn/service-kit';
import type { GatewayConfig } from '../config.ts';

/** The part of `PUBLISH_TIMEOUT` for JetStream. The rest is for sending the answer in time (P1). */
const answerInTime = 0.95;

/** In bytes per second. Clients wait for as long as their bodies take. */
const minBodyRate = 16 * 1024 * 1024;

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
    minBodyRate,
    streamMaxBytes,
    file: file ?? withoutFile(config.defaultNamespace),
  });
  followDeletedLanes(link.broker, (lane) => link.topology.forgetLane(lane.queue, lane.function));
  return link;
}
