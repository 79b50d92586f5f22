import { api, type paths, read } from '../api/index.ts';
import { formatMany } from '../format/index.ts';
import type { Letter, LetterGroup } from './group-letters.ts';

export async function replayOne({ callId, kind, submitter = '' }: Letter): Promise<void> {
  const query = { kind: kindOf(kind), submitter };
  await read(api.POST('/system/dead-letters/{callId}/replay', { params: { path: { callId }, query } }));
}

export async function dropOne({ callId, kind, submitter = '' }: Letter): Promise<void> {
  const query = { kind: kindOf(kind), submitter };
  await read(api.DELETE('/system/dead-letters/{callId}', { params: { path: { callId }, query } }));
}

export interface Replayed {
  readonly replayed: number;
  readonly skipped: number;
  /** Number of those that were skipped for each reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

type Reason = NonNullable<BulkBody['reason']>;

/** Replays all of a group, those that are not shown included. */
export async function replayGroup({ function: name, reason, kind }: LetterGroup): Promise<Replayed> {
  let total: Replayed = { replayed: 0, skipped: 0, reasons: {} };
  let cursor: string | undefined;
  do {
    // The reason comes from the gateway's own list.
    const answer = await bulk({
      function: name,
      reason: reason as Reason,
      kind: kindOf(kind),
      ...(cursor !== undefined && { cursor }),
    });
    total = add(total, answer);
    cursor = answer.cursor;
  } while (cursor !== undefined);
  return total;
}

type BulkBody = paths['/system/dead-letters/replay']['post']['requestBody']['content']['application/json'];

function bulk(body: BulkBody) {
  return read(api.POST('/system/dead-letters/replay', { body }));
}

function add(total: Replayed, more: Replayed): Replayed {
  const reasons = { ...total.reasons };
  for (const [reason, count] of Object.entries(more.reasons)) {
    reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  return { replayed: total.replayed + more.replayed, skipped: total.skipped + more.skipped, reasons };
}

/** What a bulk replay has done, in a sentence. */
export function describeReplay({ replayed, skipped, reasons }: Replayed): string {
  const done = `${formatMany(replayed, 'call is', 'calls are')} queued again.`;
  const why = Object.entries(reasons).map(([reason, count]) => `${reason.replaceAll('_', ' ')}: ${count}`);
  return skipped === 0 ? done : `${done} ${formatMany(skipped, 'is', 'are')} kept (${why.join(', ')}).`;
}

function kindOf(kind: string): 'call' | 'callback' {
  return kind === 'callback' ? 'callback' : 'call';
}
