import type { Socket } from 'node:net';

/** From the moment that a client falls silent to the first and to the second probe, and between later ones, in milliseconds. */
const firstMs = 1_000;
const secondMs = 2_000;
const laterMs = 15_000;

/**
 * Calls `probe` now and then while nothing tells whether a client is still there, for answers that take their time. It may
 * have closed its half of the connection and wait for its answer, or it may be gone: TCP shows the two alike until
 * something is sent. Of a connection that is not read while further requests wait (see `Turns`) nothing is seen at all. So
 * `probe` is to write a piece of the answer. If the client is gone, the first one brings a reset and the next one closes
 * the socket.
 *
 * @returns ends it. Legal any number of times
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
