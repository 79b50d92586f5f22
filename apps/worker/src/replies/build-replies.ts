import { bodySpace, maxBodyBytes } from '@asyncfn/queue-core/jetstream';
import type { WorkContext } from '../work-context.ts';
import { ReplyStore } from './reply-store.ts';

type Needs = Pick<WorkContext, 'broker' | 'bodies' | 'bodyConnection' | 'config' | 'logger'>;

export function buildReplies({ broker, bodies, bodyConnection, config, logger }: Needs): ReplyStore {
  const { offloadBytes, maxResponseBytes } = config;
  // What the last connection allowed: everything that is kept has to fit, also while there is none.
  let fitting = Number.POSITIVE_INFINITY;
  return new ReplyStore({
    bodies,
    inlineBytes: () => {
      fitting = broker.connection === undefined ? fitting : maxBodyBytes(broker.connection);
      return Math.min(offloadBytes, fitting);
    },
    recordBytes: () => Math.min(maxResponseBytes, broker.connection?.info?.max_payload ?? maxResponseBytes),
    isDenied: (since) => bodyConnection.hasDenied(bodySpace, since),
    // Sweepers give an upload up after half of it.
    renewMs: config.bodySweepAfterMs / 8,
    logger,
  });
}
