import { setTimeout as delay } from 'node:timers/promises';
import type { PublishResult } from '../../publish-result.ts';

/** Waits before it is sent again, in milliseconds. */
const waitsMs = [10, 50, 250, 1_000] as const;

/**
 * Sends a message until it is known whether it is in conflict with another one. Whoever is `undecided` even then has been
 * told so for a second: the replicas do not confirm anything. Safe for what expects something of its subject.
 */
export async function retryWhileUndecided(
  publish: () => Promise<PublishResult>,
  sleep: (ms: number) => Promise<unknown> = delay,
): Promise<PublishResult> {
  let result = await publish();
  for (const waitMs of waitsMs) {
    if (result.kind === 'stored' || result.reason !== 'undecided') {
      break;
    }
    await sleep(waitMs);
    result = await publish();
  }
  return result;
}
