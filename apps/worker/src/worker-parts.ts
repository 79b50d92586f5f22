import type { FunctionRegister } from '@asyncfn/queue-core/functions';
import type {
  Broker,
  BrokerPulse,
  CallbackDelivery,
  OutcomePruner,
  OverdueSchedules,
  Publisher,
  QueueTopology,
  SharedRegister,
  StreamRoom,
  StreamWatch,
} from '@asyncfn/queue-core/jetstream';
import type { Logger, Tracing } from '@asyncfn/service-kit';
import type { Registry } from 'prom-client';
import type { CallRunner } from './attempts/index.ts';
import type { CallAudit } from './call-audit.ts';
import type { CallbackDeliverer } from './callbacks/index.ts';
import type { ExpiryProcessor } from './expiry/index.ts';
import type { HttpAgent } from './http/index.ts';
import type { Lanes } from './lanes/index.ts';
import type { LeaseRenewer } from './running/index.ts';
import type { SettleableDelivery } from './settle/index.ts';

/** What the worker speaks to JetStream through. */
export interface BrokerParts {
  readonly register: FunctionRegister;
  readonly shared: SharedRegister;
  readonly broker: Broker;
  /** How old what was heard of the broker is. */
  readonly pulse: BrokerPulse;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  /** Of streams that have limits; undefined where they have none. */
  readonly room: StreamRoom | undefined;
  readonly watch: StreamWatch;
}

/** All the parts of a running worker. */
export interface WorkerParts extends BrokerParts, Lanes {
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly registry: Registry;
  readonly runner: CallRunner;
  readonly callbacks: CallbackDeliverer;
  readonly expiries: ExpiryProcessor;
  readonly overdue: OverdueSchedules;
  /** Forgets the ends of calls. */
  readonly pruner: OutcomePruner;
  readonly audit: CallAudit;
  readonly leases: LeaseRenewer;
  readonly callbackLeases: LeaseRenewer<CallbackDelivery>;
  /** The connections to functions. */
  readonly agent: HttpAgent;
  /** The connections to receivers of callbacks. */
  readonly callbackAgent: HttpAgent;
  /** Returns a call to the queue without counting an attempt. */
  readonly handBack: (delivery: SettleableDelivery, delayMs?: number) => Promise<void>;
  /** Aborted when the worker is told to stop. */
  readonly stop: AbortController;
  /** Aborted when work in hand may run no longer. */
  readonly cutShort: AbortController;
}
