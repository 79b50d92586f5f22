import type { Socket } from 'node:net';

/** Milliseconds from the last sign of a client to the first and the second probe, and between later ones. */
const firstMs = 1_000;
const secondMs = 2_000;
const laterMs = 15_000;

/**
 * Calls `probe` from time to time while the gateway cannot tell whether a client still exists, for slow answers. The
 * client may have closed its half of the connection and still wait, or it may be gone: TCP shows no difference until
 * something is sent. A connection that is not read while further requests wait (see `RequestSequencer`) shows nothing
 * at all. `probe` must therefore write a piece of the answer. If the client is gone, the first piece causes a reset and
 * the next one closes the socket.
 *
 * @returns stops the probes. May be called any number of times
 */
export function probeSilentClient(socket: Socket, probe: () => void): () => void {
  const timers: NodeJS.Timeout[] = [];
  const start = (): void => {
    stopListening();
    timers.push(setTimeout(probe, firstMs), setTimeout(probe, secondMs), setInterval(probe, laterMs));
  };
  const stopListening = (): void => void socket.off('end', start).off('pause', start);
  if (socket.readableEnded || socket.isPaused()) {
    start();
  } else {
    socket.once('end', start).once('pause', start);
  }
  return () => {
    stopListening();
    for (const timer of timers) {
      clearTimeout(timer);
    }
  };
}
