import type { NatsServer } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';

/** Whether JetStream is on, and has caught up with the others. */
export async function isHealthy({ monitorUrl }: NatsServer): Promise<boolean> {
  return (await fetch(`${monitorUrl}/healthz`)).ok;
}

/** As whoever restarts a cluster waits before the next server. */
export async function untilHealthy(server: NatsServer): Promise<void> {
  await eventually(() => isHealthy(server), {
    timeoutMs: 60_000,
    intervalMs: 100,
    message: 'a nats-server does not become healthy',
  });
}
