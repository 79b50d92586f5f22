import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { asQueueError, type QueueLogger } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';

/**
 * How many consumers the stream of a queue should allow: one for each of 10,000 registered functions, and as many again
 * for others: functions that exist only by `defaults.url`, and functions that have moved or are gone.
 */
export const wantedConsumers = 16_384;

/**
 * Allows the stream of a queue `wantedConsumers`, or as many as the account may have. Without a limit of its own a
 * stream may have no more than 1,000 (`default_max_consumers`, nats-server 2.15 and later). Earlier servers set no
 * limit, and some of them refuse to change it: there it stays as it is. Throws `QueueError`.
 */
export async function raiseConsumerLimit(
  manager: JetStreamManager,
  { config }: StreamInfo,
  logger: QueueLogger,
): Promise<void> {
  try {
    const wanted = Math.min(wantedConsumers, await maxOfAccount(manager, config));
    if (config.max_consumers < wanted) {
      const changed: StreamConfig = { ...config, max_consumers: wanted };
      await manager.streams.update(config.name, changed);
    }
  } catch (err) {
    // The account may have fewer, or the server is too old to change it: the stream stays as it is.
    if (!isApiError(err, 'maximumConsumersLimit', 'streamInvalidConfig')) {
      throw asQueueError(err, `stream ${config.name} cannot be given room for consumers`);
    }
    logger.info({ stream: config.name, consumers: config.max_consumers, err }, 'stream keeps its limit of consumers');
  }
}

async function maxOfAccount(manager: JetStreamManager, { num_replicas: replicas }: StreamConfig): Promise<number> {
  const account = await manager.getAccountInfo();
  const { max_consumers: most } = account.tiers?.[`R${replicas}`]?.limits ?? account.limits;
  return most > 0 ? most : Number.POSITIVE_INFINITY;
}
