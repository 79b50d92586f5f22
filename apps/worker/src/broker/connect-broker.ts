import { type FileDefinition, withoutFile } from '@asyncfn/queue-core/functions';
import { BrokerPulse, createBrokerLink, type BrokerLink as SharedLink } from '@asyncfn/queue-core/jetstream';
import { brokerAddress, type ProcessContext } from '@asyncfn/service-kit';
import type { WorkerConfig } from '../config.ts';

export interface BrokerLink extends SharedLink {
  /** How long the broker has been silent. */
  readonly pulse: BrokerPulse;
}

/** In bytes per second. More than for a gateway: functions and receivers have time limits. */
const minBodyRate = 64 * 1024 * 1024;

/** Sends nothing until the broker is started: see `createConnections`. */
export function connectBroker(
  config: WorkerConfig,
  { logger, version, fail }: Pick<ProcessContext, 'logger' | 'version' | 'fail'>,
  file: FileDefinition | undefined,
): BrokerLink {
  const { streamReplicas: replicas, ackWaitMs, queues, streamMaxBytes } = config;
  const link = createBrokerLink({
    broker: { ...brokerAddress(config), name: `asyncfn-worker ${version}`, logger, onFatal: fail },
    topology: { replicas, ackWaitMs, ownsLanes: true, ...(queues !== undefined && { queues: () => queues }) },
    minBodyRate,
    streamMaxBytes,
    file: file ?? withoutFile(config.defaultNamespace),
  });
  return { ...link, pulse: new BrokerPulse(link.broker) };
}
