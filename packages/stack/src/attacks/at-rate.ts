import type { PipelinedClients } from './pipelined-clients.ts';

const everyMs = 10;
/** No more than those of so many seconds are sent before answers have come, so that the attack is bounded. */
const maxUnderWaySeconds = 1;
/** The share of a second that is made up for after a standstill; what is due from before that is left out. */
const maxLateSeconds = 0.1;

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
    const room = Math.ceil(perSecond * maxUnderWaySeconds) - clients.underWay;
    const late = Math.ceil(perSecond * maxLateSeconds);
    const count = Math.max(0, Math.min(due - sent, late, room));
    if (count > 0) {
      clients.send(Array.from({ length: count }, (_, index) => next(sent + index)));
    }
    sent = due;
  }, everyMs);
  signal.addEventListener('abort', () => clearInterval(timer));
}
