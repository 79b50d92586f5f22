import { limitOfQueue } from '@asyncfn/queue-core';
import {
  AdmissionControl,
  CallQueue,
  type MomentDelivery,
  MomentSource,
  ScheduleStore,
} from '@asyncfn/queue-core/jetstream';
import type { Moment } from '@asyncfn/queue-core/schedules';
import { WorkLoop } from '../running/index.ts';
import type { WorkContext } from '../work-context.ts';
import { MomentProcessor } from './moment-processor.ts';

/** Most moments in flight. */
const maxInFlight = 256;
/** A worker that dies holds up a moment for this time. */
const leaseMs = 1_000;

/** Builds the component that makes the calls of schedules. */
export function buildSchedules(work: WorkContext): WorkLoop<Moment, MomentDelivery> {
  const { topology, publisher, register, shared, events } = work;
  const processor = new MomentProcessor({
    ...work,
    store: new ScheduleStore(publisher, topology),
    queue: buildQueue(work),
    lookup: (name) => register.lookup(name),
    onStored: (call) => events.accepted(call),
  });
  return new WorkLoop<Moment, MomentDelivery>(work, {
    name: 'schedules',
    what: 'schedule moment',
    source: new MomentSource({ topology, ackWaitMs: leaseMs }),
    leaseMs,
    // Before the register is known, any function may exist.
    room: (inFlight) => (shared.complete ? maxInFlight - inFlight : 0),
    work: (delivery, moment) => processor.process(delivery, moment),
  });
}

/** The entrance to the queues, with the limits that gateways enforce as well. */
function buildQueue({ broker, topology, publisher, register, shared, flows, limits, config }: WorkContext): CallQueue {
  const maxBytes = (queue: string): number | undefined =>
    limitOfQueue(limits, queue, shared.queueMaxBytes.get(queue) ?? config.queueMaxBytes);
  const admission = new AdmissionControl({ topology, functions: () => register.list(), maxBytes });
  return new CallQueue({ broker, topology, publisher, register, flows, admission });
}
