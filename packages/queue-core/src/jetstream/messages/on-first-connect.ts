import type { NatsConnection } from '@nats-io/transport-node';
import type { Broker } from '../connecting/index.ts';

/** Runs once, on the first connection: for subscriptions, which the client renews by itself after an outage. */
export function onFirstConnect(
  broker: Pick<Broker, 'onConnect'>,
  listener: (connection: NatsConnection) => void,
): void {
  let hasRun = false;
  broker.onConnect((connection) => {
    if (!hasRun) {
      hasRun = true;
      listener(connection);
    }
  });
}
