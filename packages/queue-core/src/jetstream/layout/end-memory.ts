import type { StreamInfo } from '@nats-io/jetstream';

/**
 * How long an outcome is kept at least, in milliseconds, however short `RESULT_TTL` is. It keeps a late delivery from
 * running the call again, and the follow-up after a crash is done from it (P2).
 */
const minMs = 10 * 60 * 1000;

/** How long outcomes are kept unless a gateway sets another time, in milliseconds. */
const defaultMs = 60 * 60 * 1000;

/**
 * A process may record an outcome only within this time, in milliseconds, after it has seen that the call has none and
 * that its message exists. It is far less than the time for which outcomes are kept, so that the first outcome is still
 * stored and prevents a second one (ADR 38).
 */
const freshMs = 5 * 60 * 1000;

const key = 'asyncfn-result-ttl-ms';

/**
 * Metadata of the stream of outcomes that says how long to keep them. Gateways set it, and workers remove outcomes by
 * it.
 */
export function toEndMetadata(resultTtlMs = defaultMs): Record<string, string> {
  return { [key]: String(resultTtlMs) };
}

/** How long outcomes of finished calls are kept, in milliseconds. */
export function keptMs({ config }: Pick<StreamInfo, 'config'>): number {
  const said = Number(config.metadata?.[key] ?? Number.NaN);
  return Math.max(Number.isFinite(said) ? said : defaultMs, minMs);
}

/** Whether a look at a call is recent enough for recording its outcome. Both times on the monotonic clock. */
export function isFresh(seenAt: number, now: number = performance.now()): boolean {
  return now - seenAt < freshMs;
}
