import { type JetStreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { PublishResult } from '../../publish-result.ts';
import type { StreamLayout } from '../layout/index.ts';
import { MessageHeaders } from '../messages/index.ts';
import { toAtomicBatch } from './atomic-batch.ts';
import type { Outgoing, Publisher } from './publisher.ts';

/** Only for measurements. Its messages expire after a minute. */
const probeStream = 'COMMIT_PROBE';
const probeSubject = 'commit-probe';
const minuteNanos = 60 * 1_000_000_000;

const messages = 100;
/** The shortest time of several trials counts: other load on the machine only makes it longer. */
const trials = 5;

export interface ProbeResult {
  /** Shortest time to store so many messages one by one, in milliseconds. */
  readonly singlyMs: number;
  /** Shortest time to store them as a group, in milliseconds. */
  readonly groupedMs: number;
}

/**
 * Measures which way of storing many messages is faster on this broker. No answer of nats-server tells a client whether
 * it syncs each write (as of 2.15: neither INFO nor stream info has `sync_interval`; `/jsz` does, for operators).
 *
 * @returns undefined if it could not be measured
 */
export async function probeBatches(
  manager: JetStreamManager,
  publisher: Pick<Publisher, 'publish'>,
  layout: Pick<StreamLayout, 'ensure' | 'replicas'>,
): Promise<ProbeResult | undefined> {
  const config = {
    name: probeStream,
    subjects: [probeSubject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    max_age: minuteNanos,
    num_replicas: layout.replicas,
    allow_atomic: true,
  };
  await layout.ensure(manager, config);
  let result: ProbeResult | undefined = { singlyMs: Number.POSITIVE_INFINITY, groupedMs: Number.POSITIVE_INFINITY };
  for (let trial = 0; trial < trials && result !== undefined; trial++) {
    const singlyMs = await timed(Promise.all(createMessages().map((message) => publisher.publish(message))));
    const groupedMs = await timed(Promise.all([publisher.publish(toAtomicBatch(createMessages()))]));
    result = shorter(result, singlyMs, groupedMs);
  }
  return result;
}

function createMessages(): Outgoing[] {
  const body = new Uint8Array(256);
  return Array.from({ length: messages }, () => ({ subject: probeSubject, headers: new MessageHeaders(), body }));
}

async function timed(publishing: Promise<readonly PublishResult[]>): Promise<number | undefined> {
  const startedAt = performance.now();
  const results = await publishing;
  return results.every(({ kind }) => kind === 'stored') ? performance.now() - startedAt : undefined;
}

function shorter(
  result: ProbeResult,
  singlyMs: number | undefined,
  groupedMs: number | undefined,
): ProbeResult | undefined {
  if (singlyMs === undefined || groupedMs === undefined) {
    return undefined;
  }
  return { singlyMs: Math.min(result.singlyMs, singlyMs), groupedMs: Math.min(result.groupedMs, groupedMs) };
}
