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
import { inboxCallback, onFirstConnect } from '../messages/index.ts';

/** The report of a worker about its running calls. */
export interface RunningCallResponder {
  /** Undefined for a call that this worker does not know: another one may. */
  report(call: CallIdentity): RunningReport | undefined;
  /**
   * The call has been cancelled: the worker aborts its attempt, and does not run a delivery that is on its way. Returns
   * whether the call was running.
   */
  cancel(key: GenerationKey): boolean;
}

/** Subscribes the worker to state and cancel requests for its running calls. */
export function serveRunningCalls(broker: Broker, responder: RunningCallResponder): void {
  onFirstConnect(broker, (connection) => {
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
