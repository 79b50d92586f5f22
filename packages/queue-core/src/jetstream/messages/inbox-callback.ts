import type { Msg, MsgCallback } from '@nats-io/transport-node';

/**
 * A callback for an inbox of ours. An error of `handle` ends the process, as anywhere else: the client would print it,
 * and stop reading from a connection that looks healthy.
 */
export function inboxCallback(handle: (message: Msg) => void): MsgCallback<Msg> {
  return (error, message) => {
    if (error !== null) {
      return;
    }
    try {
      handle(message);
    } catch (cause) {
      queueMicrotask(() => {
        throw cause;
      });
    }
  };
}
