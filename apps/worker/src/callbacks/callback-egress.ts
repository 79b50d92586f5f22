import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { Logger } from '@asyncfn/service-kit';
import type { WorkerConfig } from '../config.ts';
import { HttpAgent } from '../http/index.ts';
import { NameResolver } from '../names/index.ts';
import { createCheckedConnector } from './checked-connector.ts';
import { Receivers } from './receivers.ts';

/** How callbacks get to their receivers. */
export interface CallbackEgress {
  readonly policy: CallbackPolicy;
  readonly receivers: Receivers;
  /** Goes only where callbacks may go. */
  readonly callbackAgent: HttpAgent;
}

const connectTimeoutMs = 10_000;

/** Only the status line of a receiver counts: what comes with it is bounded for the memory alone. */
const maxReceiverHeaderBytes = 64 * 1024;

/** @param signal ends the look-ups of names */
export function createCallbackEgress(config: WorkerConfig, logger: Logger, signal: AbortSignal): CallbackEgress {
  const policy = new CallbackPolicy(config);
  const names = new NameResolver({ servers: config.callbackDnsServers, logger, signal });
  const receivers = new Receivers({
    max: config.callbackMaxInflight,
    maxPerHost: config.callbackMaxPerHost,
    timeoutMs: config.callbackTimeoutMs,
    names,
    policy,
  });
  // A callback has waited for the address of its host by now, so that is known.
  const asker = { submitter: undefined, waitMs: connectTimeoutMs };
  const connect = createCheckedConnector({
    policy,
    timeoutMs: connectTimeoutMs,
    resolve: (host) => names.resolve(host, asker),
  });
  return { policy, receivers, callbackAgent: new HttpAgent({ connect, maxHeaderBytes: maxReceiverHeaderBytes }) };
}
