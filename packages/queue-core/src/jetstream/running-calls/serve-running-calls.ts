import type { Msg } from '@nats-io/transport-node';
import type { CallIdentity, GenerationKey } from '../../call/index.ts';
import {
  anySignalSubject,
  type CallSignal,
  type RunningReport,
  runningReportCodec,
  signalCall,
} from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';

/** What a worker can say of the calls in its hands. */
export interface RunningCallResponder {
  /** Undefined for a call that it does not know: then another worker may. */
  report(call: CallIdentity): RunningReport | undefined;
  /**
   * The call has been cancelled: its attempt is aborted, and a delivery that is on its way is not run. Returns whether it
   * was in hand.
   */
  cancel(key: GenerationKey): boolean;
}

/** Has a worker answer for the calls in its hands, for as long as the broker is there. */
export function serveRunningCalls(broker: Broker, responder: RunningCallResponder): void {
  let subscribed = false;
  broker.onConnect((connection) => {
    if (subscribed) {
      return; // the client renews its subscriptions by itself
    }
    subscribed = true;
    const listen = (signal: CallSignal, handle: (message: Msg, call: CallIdentity) => void): void => {
      const callback = inboxCallback((message) => {
        const call = signalCall(message.subject);
        if (call !== undefined) {
          handle(message, call);
        }
      });
      connection.subscribe(anySignalSubject(signal), { callback });
    };
    listen('running', (message, call) => {
      const report = responder.report(call);
      if (report !== undefined) {
        message.respond(runningReportCodec.encode(report));
      }
    });
    listen('cancel', (message, call) => {
      if (responder.cancel({ ...call, generation: Number(message.string()) })) {
        message.respond();
      }
    });
  });
}
