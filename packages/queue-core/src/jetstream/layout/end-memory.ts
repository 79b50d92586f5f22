import type { StreamInfo } from '@nats-io/jetstream';

/**
 * How long an end is remembered at least, in milliseconds, however short `RESULT_TTL` is. The record keeps a call from
 * being run again by a delivery that comes late, and what is left to do after a crash is done from it (P2).
 */
const minMs = 10 * 60 * 1000;

/** How long ends are kept where no gateway has said otherwise, in milliseconds. */
const defaultMs = 60 * 60 * 1000;

/**
 * Whoever is about to record an end has seen no longer ago than this, in milliseconds, that the call has none, and after
 * that, that its message is there. It is far less than the time for which each end is remembered, so that the first end is
 * still there to keep the second one out (ADR 38).
 */
const freshMs = 5 * 60 * 1000;

const key = 'asyncfn-result-ttl-ms';

/** What a stream of ends says of how long they are kept. Gateways decide it, and workers forget by it. */
export function toEndMetadata(resultTtlMs = defaultMs): Record<string, string> {
  return { [key]: String(resultTtlMs) };
}

/** For how long ends are kept whose calls are done with, in milliseconds. */
export function keptMs({ config }: Pick<StreamInfo, 'config'>): number {
  const said = Number(config.metadata?.[key] ?? Number.NaN);
  return Math.max(Number.isFinite(said) ? said : defaultMs, minMs);
}

/** Whether what was seen of a call still holds for the record of its end. Both on the monotonic clock. */
export function isFresh(seenAt: number, now: number = performance.now()): boolean {
  return now - seenAt < freshMs;
}
