import type { Socket } from 'node:net';

/** From the client's last byte to the first and to the second probe, and between later ones, in milliseconds. */
const firstMs = 1_000;
const secondMs = 2_000;
const laterMs = 15_000;

/**
 * Calls `probe` now and then once the client has sent its last byte, for answers that take their time. Such a client may
 * wait for its answer with its half of the connection closed, or it may be gone: TCP shows the two alike until something is
 * sent. So `probe` is to write a piece of the answer. If the client is gone, the first one brings a reset and the next
 * one closes the socket.
 *
 * @returns ends it. Legal any number of times
 */
export function probeHalfClosed(socket: Socket, probe: () => void): () => void {
  const timers: NodeJS.Timeout[] = [];
  const start = (): void => {
    timers.push(setTimeout(probe, firstMs), setTimeout(probe, secondMs), setInterval(probe, laterMs));
  };
  if (socket.readableEnded) {
    start();
  } else {
    socket.once('end', start);
  }
  return () => {
    socket.off('end', start);
    for (const timer of timers) {
      clearTimeout(timer);
    }
  };
}
