import type { CallbackPolicy } from '@asyncfn/queue-core';
import { HttpAgent } from '../http/http-agent.ts';
import { createCheckedConnector } from './checked-connector.ts';

const connectTimeoutMs = 10_000;

/** Only the status line of a receiver counts: what comes with it is bounded for the memory alone. */
const maxReceiverHeaderBytes = 64 * 1024;

/** The connections to receivers. Goes only where callbacks may go. */
export function createCallbackAgent(policy: CallbackPolicy): HttpAgent {
  return new HttpAgent({
    connect: createCheckedConnector({ policy, timeoutMs: connectTimeoutMs }),
    maxHeaderBytes: maxReceiverHeaderBytes,
  });
}
