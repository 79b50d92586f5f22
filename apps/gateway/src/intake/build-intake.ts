import { limitOfQueue } from '@asyncfn/queue-core';
import {
  AdmissionControl,
  CallQueue,
  createGroupCommit,
  DurabilityWatch,
  type NameLimits,
  UnregisteredNames,
} from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import type { BrokerLink } from '../broker/index.ts';
import type { GatewayConfig } from '../config.ts';

export interface Intake {
  readonly queue: CallQueue;
  readonly durability: DurabilityWatch;
  /** The most bytes that a queue may hold; undefined if there is no limit. */
  readonly maxBytesOf: (queue: string) => number | undefined;
  readonly component: Component;
}

/** How often the gateway reads the sizes of limited queues, in milliseconds. */
const admissionMs = 500;

export function buildIntake(link: BrokerLink, config: GatewayConfig, logger: Logger): Intake {
  const { broker, topology, register, shared, limits, flows } = link;
  const declaredSyncAlways = config.natsSync === 'always';
  const durability = new DurabilityWatch(broker, topology, {
    declaredSyncAlways,
    required: config.requireDurability,
    logger,
  });
  const maxBytesOf = (name: string): number | undefined =>
    limitOfQueue(limits, name, shared.queueMaxBytes.get(name) ?? config.queueMaxBytes);
  const admission = new AdmissionControl({ topology, functions: () => register.list(), maxBytes: maxBytesOf });
  const queue = new CallQueue({
    broker,
    topology,
    publisher: createGroupCommit({ ...link, mode: config.groupCommit, declaredSyncAlways, logger }),
    register,
    admission,
    names: new UnregisteredNames({ topology, register, limits: nameLimitsOf(config) }),
    durability,
    flows,
    idempotencyWindowMs: config.idempotencyWindowMs,
  });
  const onError = (err: unknown): void => logger.warn({ err }, 'the sizes of the queues cannot be read yet');
  const component: Component = {
    name: 'intake',
    start(signal) {
      topology.onReady(() => void admission.refresh().catch(onError));
      void every(admissionMs, () => admission.refresh(), { signal, onError });
      signal.addEventListener('abort', () => durability.stop(), { once: true });
    },
  };
  return { queue, durability, maxBytesOf, component };
}

function nameLimitsOf(config: GatewayConfig): NameLimits {
  return { inAll: config.maxUnregisteredFunctions, perSubmitter: config.maxUnregisteredPerToken };
}
