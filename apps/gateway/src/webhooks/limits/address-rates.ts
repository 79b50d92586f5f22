import type { Rate } from '@asyncfn/tokens';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Sender } from './sender.ts';

/** Counts the requests of each public address in this process, in fixed windows of time. */
export class AddressRates {
  readonly #count: ReturnType<FastifyInstance['createRateLimit']>;

  constructor(app: Pick<FastifyInstance, 'createRateLimit'>, { requests, windowMs }: Rate) {
    this.#count = app.createRateLimit({ keyGenerator: ({ ip }) => ip, max: requests, timeWindow: windowMs });
  }

  /** Counts a request. Resolves to the seconds to wait if the limit is exceeded. */
  async excess({ block, isPublic }: Sender): Promise<number | undefined> {
    if (!isPublic) {
      return undefined;
    }
    // The plugin passes it to the function above, and reads route settings from it.
    const counted = await this.#count({ ip: block, routeOptions: {} } as FastifyRequest);
    return counted.isAllowed || !counted.isExceeded ? undefined : Math.max(1, counted.ttlInSeconds);
  }
}
