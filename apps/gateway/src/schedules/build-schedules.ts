import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { FileDefinition } from '@asyncfn/queue-core/functions';
import { ScheduleStore } from '@asyncfn/queue-core/jetstream';
import type { Component, Logger } from '@asyncfn/service-kit';
import type { BrokerLink } from '../broker/index.ts';
import type { GatewayConfig } from '../config.ts';
import { followedSchedules } from './file-schedules.ts';
import { ScheduleRegister } from './schedule-register.ts';
import type { ScheduleOptions } from './schedules.ts';

export interface Schedules {
  /** What the routes need. */
  readonly resource: Pick<ScheduleOptions, 'schedules' | 'runs'>;
  /** Keeps those of the functions file stored. */
  readonly component: Component;
}

export interface SchedulesParts {
  readonly config: GatewayConfig;
  readonly link: BrokerLink;
  readonly file: { readonly current: Pick<FileDefinition, 'schedules'> } | undefined;
  readonly logger: Logger;
}

const none: FileDefinition['schedules'] = new Map();

export function buildSchedules({ config, link, file, logger }: SchedulesParts): Schedules {
  const { broker, topology, publisher, register, shared } = link;
  const { now } = broker.clock;
  const runs = new ScheduleStore(publisher, topology);
  const schedules = new ScheduleRegister({ store: runs, now });
  const component = followedSchedules({
    register: schedules,
    context: {
      lookup: (name) => register.lookup(name),
      names: register,
      knowsAll: () => shared.complete,
      callbackPolicy: new CallbackPolicy(config),
      now,
    },
    ready: () => topology.ready,
    current: () => file?.current.schedules ?? none,
    onReady: (listener) => topology.onReady(listener),
    logger,
  });
  return { resource: { schedules, runs }, component };
}
