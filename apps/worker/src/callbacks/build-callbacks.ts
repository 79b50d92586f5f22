import type { CallbackTask } from '@asyncfn/queue-core';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { type CallbackDelivery, CallbackSource, CallbackStore, StepQueue } from '@asyncfn/queue-core/jetstream';
import { HandOn } from '../chain/index.ts';
import { HttpAgent } from '../http/index.ts';
import { NameResolver } from '../names/index.ts';
import { WorkLoop } from '../running/index.ts';
import type { WorkContext } from '../work-context.ts';
import { CallbackDeliverer } from './callback-deliverer.ts';
import { CallbackSender } from './callback-sender.ts';
import { createCheckedConnector } from './checked-connector.ts';
import { Receivers } from './receivers.ts';
import { CallbackKeys, type TokenKeys } from './signing/index.ts';

/** Builds the component that delivers callbacks. */
export interface Callbacks {
  readonly deliverer: CallbackDeliverer;
  readonly store: CallbackStore;
  readonly handOn: HandOn;
  /** The connections to receivers. */
  readonly agent: HttpAgent;
  /** Delivers those that are stored. */
  readonly loop: WorkLoop<CallbackTask, CallbackDelivery>;
}

const connectTimeoutMs = 10_000;

/** Only a receiver's status line counts; the limit on its headers protects memory. */
const maxReceiverHeaderBytes = 64 * 1024;

/** @param tokens the tokens known at the start; undefined if no tokens file is set */
export function buildCallbacks(work: WorkContext, tokens: () => TokenKeys | undefined): Callbacks {
  const { config, topology, publisher, budgets, calls } = work;
  const { policy, receivers, agent } = createCallbackEgress(work);
  const store = new CallbackStore(publisher, topology);
  const { register } = work;
  const steps = new StepQueue({ topology, publisher, lookup: (name) => register.lookup(name) });
  const handOn = new HandOn({ ...work, steps, store, budget: budgets.callbacks });
  const deliverer = new CallbackDeliverer({
    ...work,
    sender: new CallbackSender({
      ...work,
      agent,
      policy,
      timeoutMs: config.callbackTimeoutMs,
      scheduleMs: config.callbackRetryScheduleMs,
      keys: new CallbackKeys({ ...work, common: config.callbackSigningSecrets, tokens }),
    }),
    receivers,
    budget: budgets.callbacks,
    store,
    handOn,
    calls,
  });
  const loop = new WorkLoop<CallbackTask, CallbackDelivery>(work, {
    name: 'callbacks',
    what: 'stored callback',
    source: new CallbackSource({ topology, ackWaitMs: config.ackWaitMs }),
    room: (inFlight) => deliverer.roomForStored(inFlight),
    work: (delivery, task) => deliverer.deliverStored(delivery, task),
  });
  return { deliverer, store, handOn, agent, loop };
}

/** How callbacks get to their receivers: the agent connects only to addresses where callbacks may go. */
function createCallbackEgress({ config, logger, signal }: WorkContext) {
  const policy = new CallbackPolicy(config);
  const names = new NameResolver({ servers: config.callbackDnsServers, logger, signal });
  const receivers = new Receivers({
    max: config.callbackMaxInflight,
    maxPerHost: config.callbackMaxPerHost,
    names,
    policy,
  });
  // The callback has already waited for the address of its host, so it is cached.
  const asker = { submitter: undefined, waitMs: connectTimeoutMs };
  const connect = createCheckedConnector({
    policy,
    timeoutMs: connectTimeoutMs,
    resolve: (host) => names.resolve(host, asker),
  });
  return { policy, receivers, agent: new HttpAgent({ connect, maxHeaderBytes: maxReceiverHeaderBytes }) };
}
