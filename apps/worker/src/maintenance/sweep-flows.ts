import { every, type Logger } from '@asyncfn/service-kit';
import type { BrokerLink } from '../broker/index.ts';

/** How often the worker looks for flow keys whose gateway has died, and for those whose calls are gone. */
const noticesMs = 2_000;
const statesMs = 10_000;

/** Lets flow keys go on that a crash has left, until the signal aborts. Each worker looks at its own moments. */
export function sweepFlows(
  { broker, topology, flows }: Pick<BrokerLink, 'broker' | 'topology' | 'flows'>,
  logger: Logger,
  signal: AbortSignal,
): void {
  const { sweeper } = flows;
  const sweep = async (look: (now: number) => Promise<number>): Promise<void> => {
    const keys = topology.ready ? await look(broker.clock.now()) : 0;
    if (keys > 0) {
      logger.warn({ keys }, 'flow keys that had stopped go on');
    }
  };
  const onError = (err: unknown): void => logger.warn({ err }, 'flow keys that have stopped could not be found yet');
  const jitter = 0.75 + Math.random() / 2;
  void every(noticesMs * jitter, () => sweep((now) => sweeper.sweepNotices(now)), { signal, onError });
  void every(statesMs * jitter, () => sweep((now) => sweeper.sweepStates(now)), { signal, onError });
}
