import { randomUUID } from 'node:crypto';
import { type Broker, type Publisher, type QueueTopology, RateStore } from '@asyncfn/queue-core/jetstream';
import type { Component, Logger } from '@asyncfn/service-kit';
import type { Rate } from '@asyncfn/units';
import { RateShare } from './rate-share.ts';

export interface RateShares {
  /** Gives back what the shares hold, once no call is in flight. */
  readonly component: Component;
  /** @param onRoom called when the lane may have more room than before */
  open(name: string, rate: Rate, onRoom: () => void): RateShare;
  /** Gives back what the share holds. */
  close(share: RateShare): void;
}

const stopMs = 5_000;

export interface RateSharesOptions {
  readonly broker: Pick<Broker, 'clock'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly topology: Pick<QueueTopology, 'manager'>;
  readonly config: { readonly ackWaitMs: number };
  readonly logger: Logger;
  /** `HOST:PID` */
  readonly worker: string;
}

/** The shares of this worker in the starts of functions with a rate. */
export function createRateShares(options: RateSharesOptions): RateShares {
  const { publisher, topology, broker, config, logger, worker } = options;
  const store = new RateStore(publisher, topology);
  const shares = new Set<RateShare>();
  const close = async (share: RateShare): Promise<void> => {
    await share.close();
    shares.delete(share);
  };
  return {
    open(name, rate, onRoom) {
      const id = `${worker}/${randomUUID()}`;
      const { earliest } = broker.clock;
      const share = new RateShare({ name, id, rate, store, ackWaitMs: config.ackWaitMs, onRoom, logger, earliest });
      shares.add(share);
      return share;
    },
    close: (share) => void close(share),
    component: {
      name: 'rates',
      stop: {
        name: 'give back starts',
        timeoutMs: stopMs,
        run: async () => {
          await Promise.all([...shares].map(close));
        },
      },
    },
  };
}
