import type { Handovers } from '@asyncfn/queue-core/jetstream';
import type { SettleableDelivery } from './delivered-call.ts';

/** The broker counts the delivery, so a hand-over is recorded: no crash has ended it. */
export async function noteAndNak(handovers: Handovers, delivery: SettleableDelivery, delayMs?: number): Promise<void> {
  await handovers.note(delivery);
  delivery.nak(delayMs);
}

/** For an expiry timer: no delivery of the call itself ends, so none is recorded. */
export function nakTimer(timer: SettleableDelivery, delayMs?: number): Promise<void> {
  return Promise.resolve(timer.nak(delayMs));
}
