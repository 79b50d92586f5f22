import type { PipelinedClients } from './pipelined-clients.ts';

const everyMs = 10;
/** No more are sent before answers have come, so that the attack itself does not run out of memory. */
const maxUnderWay = 20_000;

/**
 * Sends this many requests for each second, those of one hundredth of a second at once and on one connection, without
 * waiting for earlier ones. Ends with the signal.
 */
export function sendAtRate(
  clients: PipelinedClients,
  perSecond: number,
  next: (index: number) => Buffer,
  signal: AbortSignal,
): void {
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000);
    const room = maxUnderWay - clients.underWay;
    const count = Math.max(0, Math.min(due - sent, room));
    if (count > 0) {
      clients.send(Array.from({ length: count }, (_, index) => next(sent + index)));
    }
    sent = due;
  }, everyMs);
  signal.addEventListener('abort', () => clearInterval(timer));
}
