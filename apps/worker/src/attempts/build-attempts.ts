import { CallChangeNotifier, type Delivery, type ExpiryStore, Handovers } from '@asyncfn/queue-core/jetstream';
import type { Callbacks } from '../callbacks/index.ts';
import { toRetryDefaults } from '../config.ts';
import { HttpAgent } from '../http/index.ts';
import { buildReplies } from '../replies/index.ts';
import { buildRunningCalls, createLeaseRenewer, type LeaseRenewer, type RunningCalls } from '../running/index.ts';
import { noteAndNak, type SettleableDelivery, Settler } from '../settle/index.ts';
import type { WorkContext } from '../work-context.ts';
import { AttemptNotes } from './attempt-notes.ts';
import { CallRunner } from './call-runner.ts';

/** Builds the component that runs attempts. */
export interface Attempts {
  readonly runner: CallRunner;
  readonly running: RunningCalls;
  readonly leases: LeaseRenewer<Delivery>;
  /** The connections to functions. */
  readonly agent: HttpAgent;
  /** Returns a call to its queue without counting an attempt. */
  readonly handBack: (delivery: SettleableDelivery, delayMs?: number) => Promise<void>;
}

interface Collaborators {
  readonly callbacks: Pick<Callbacks, 'deliverer' | 'handOn'>;
  readonly expiries: ExpiryStore;
}

/** @param seams replacements for tests */
export function buildAttempts(
  work: WorkContext,
  { callbacks, expiries }: Collaborators,
  seams: Partial<Pick<Attempts, 'running' | 'leases' | 'handBack'>> = {},
): Attempts {
  const { config, broker, topology, publisher, calls } = work;
  const handovers = new Handovers(publisher, topology);
  const changes = new CallChangeNotifier(broker);
  const running = seams.running ?? buildRunningCalls(work);
  const leases = seams.leases ?? createLeaseRenewer(broker, config.ackWaitMs);
  const agent = new HttpAgent({ maxHeaderBytes: config.maxResponseHeaderBytes });
  const noted = (delivery: SettleableDelivery, delayMs?: number): Promise<void> =>
    noteAndNak(handovers, delivery, delayMs);
  const handBack = seams.handBack ?? noted;
  const runner = new CallRunner({
    ...work,
    running,
    onCallChange: (call) => changes.notify(call),
    functions: agent,
    settler: new Settler({ ...work, store: calls, callbacks: callbacks.deliverer, handOn: callbacks.handOn, handBack }),
    store: calls,
    expiries,
    leases,
    maxResponseBytes: config.maxResponseBytes,
    replies: buildReplies(work),
    retryDefaults: toRetryDefaults(config),
    countUnfinished: (call) => handovers.countUnfinished(call),
    notes: new AttemptNotes({ ...work, handovers }),
  });
  return { runner, running, leases, agent, handBack };
}
