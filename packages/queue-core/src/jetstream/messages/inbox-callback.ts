import type { Msg, MsgCallback } from '@nats-io/transport-node';

/**
 * A callback for an inbox of ours. What `handle` throws ends the process, as anywhere else: the client would print it,
 * and read nothing more from a connection that looks alive.
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
