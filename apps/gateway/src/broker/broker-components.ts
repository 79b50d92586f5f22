import type { BrokerLink } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';

/** How often the gateway checks that all streams exist, in milliseconds. */
const watchMs = 5_000;
/** How often the gateway reads the sizes of limited streams, in milliseconds. */
const roomMs = 500;
/** Time limit of steps that should be instant. */
const promptMs = 5_000;

export function createBrokerComponent({ broker, bodyConnection, watch, room }: BrokerLink, logger: Logger): Component {
  const onError = (err: unknown): void => logger.warn({ err }, 'the state of the streams cannot be read yet');
  const stop = async (): Promise<void> => {
    await Promise.all([broker.stop(), bodyConnection.stop()]);
  };
  return {
    name: 'broker',
    start(signal) {
      broker.start();
      void every(watchMs, () => watch.refresh(), { signal, onError });
      if (room !== undefined) {
        void every(roomMs, () => room.refresh(), { signal, onError });
      }
    },
    stop: { name: 'close broker', timeoutMs: promptMs, run: stop },
  };
}

/** When it has stopped, every call with a 202 is in its stream (P1, P8). */
export function createPublisherComponent({ publisher, events }: BrokerLink, publishTimeoutMs: number): Component {
  const flush = async (): Promise<void> => {
    await publisher.flush();
    events.flush();
  };
  return {
    name: 'publisher',
    stop: { name: 'flush publisher', timeoutMs: publishTimeoutMs + promptMs, run: flush },
  };
}
