import type { Handovers } from '@asyncfn/queue-core/jetstream';
import type { SettleableDelivery } from './settler.ts';

/** The delivery counts at the broker, so it is noted that no crash has ended it. */
export async function noteAndNak(handovers: Handovers, delivery: SettleableDelivery, delayMs?: number): Promise<void> {
  await handovers.note(delivery);
  delivery.nak(delayMs);
}

/** No delivery of the call has come to an end, so none is to be noted. */
export function nakTimer(timer: SettleableDelivery, delayMs?: number): Promise<void> {
  return Promise.resolve(timer.nak(delayMs));
}
