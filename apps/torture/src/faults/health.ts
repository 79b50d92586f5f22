import type { NatsServer } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';

/** A nats-server whose disk is full may not answer at all. */
const answerMs = 5_000;

/** Whether JetStream is on, and has caught up with the others. */
export async function isHealthy({ monitorUrl }: NatsServer): Promise<boolean> {
  const answer = fetch(`${monitorUrl}/healthz`, { signal: AbortSignal.timeout(answerMs) });
  return await answer.then(
    ({ ok }) => ok,
    () => false,
  );
}

/** An operator who restarts a cluster waits like this before the next server. */
export async function untilHealthy(server: NatsServer): Promise<void> {
  await eventually(() => isHealthy(server), {
    timeoutMs: 60_000,
    intervalMs: 100,
    message: 'a nats-server does not become healthy',
  });
}
