import type { Handovers } from '@asyncfn/queue-core/jetstream';
import type { HeldDelivery } from './settler.ts';

/** The delivery counts at the broker, so it is noted that no crash has ended it. */
export async function noteAndGiveBack(handovers: Handovers, delivery: HeldDelivery, delayMs?: number): Promise<void> {
  await handovers.note(delivery);
  delivery.giveBack(delayMs);
}

/** No delivery of the call has come to an end, so none is to be noted. */
export function giveBackWord(word: HeldDelivery, delayMs?: number): Promise<void> {
  return Promise.resolve(word.giveBack(delayMs));
}
