import { keyOf } from '@asyncfn/queue-core';
import { BodyRoom, type CallStore, maxBodyBytes } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { BrokerLink } from '../broker/index.ts';
import type { GatewayConfig } from '../config.ts';
import type { LargeIntake } from '../enqueue/index.ts';
import type { BodyBudget } from '../http/index.ts';
import { LargeBodies } from './large-bodies.ts';

interface LargeBodyParts {
  readonly link: Pick<BrokerLink, 'broker' | 'bodies' | 'topology'>;
  readonly config: Pick<GatewayConfig, 'maxBodyBytes' | 'offloadBytes' | 'bodyStoreMaxBytes'>;
  readonly store: Pick<CallStore, 'findOutcome'>;
  readonly bodyBudget: BodyBudget;
  readonly logger: Logger;
}

/** The intake of large bodies, and the room of their store for its metrics. */
export function buildLargeBodies({ link, config, store, bodyBudget, logger }: LargeBodyParts): {
  readonly large: LargeIntake;
  readonly room: BodyRoom;
} {
  const { broker, topology, bodies } = link;
  const room = new BodyRoom({ topology, maxBytes: config.bodyStoreMaxBytes });
  const large = new LargeBodies({
    bodies,
    room,
    hasEnded: async (call) => (await store.findOutcome(keyOf(call))) !== undefined,
    budget: bodyBudget,
    maxBytes: config.maxBodyBytes,
    inlineBytes: () =>
      broker.connection === undefined
        ? config.offloadBytes
        : Math.min(config.offloadBytes, maxBodyBytes(broker.connection)),
    logger,
  });
  return { large, room };
}
