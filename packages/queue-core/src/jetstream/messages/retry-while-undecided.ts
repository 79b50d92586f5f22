import type { PublishResult } from '../../publish-result.ts';
import { retry } from '../../retry.ts';

/**
 * Publishes until it is known whether the message conflicts with another one. If the result is `undecided` even then,
 * the replicas have confirmed nothing for more than a second. Safe only for messages that expect something of their
 * subject.
 */
export function retryWhileUndecided(
  publish: () => Promise<PublishResult>,
  sleep?: (ms: number) => Promise<unknown>,
): Promise<PublishResult> {
  return retry(publish, {
    waits: [10, 50, 250, 1_000],
    until: (result) => result.kind === 'stored' || result.reason !== 'undecided',
    ...(sleep && { sleep }),
  });
}
