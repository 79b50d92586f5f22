import type { DeadLetterFilter, ReplayFilter } from '@asyncfn/client';
import { usageError } from '../failure/index.ts';
import { type Common, given } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';

export interface ReplayFlags extends Common {
  readonly all?: true;
  readonly limit?: number;
  readonly function?: string;
  readonly queue?: string;
  readonly reason?: DeadLetterFilter['reason'];
  readonly kind?: 'call' | 'callback';
}

/** Replays those with the ids, or with `--all` those that the filters select. */
export async function replayDeadLetters(
  session: Session,
  callIds: readonly string[],
  flags: ReplayFlags,
): Promise<void> {
  if ((callIds.length === 0) === (flags.all === undefined)) {
    throw usageError('name the calls by their ids, or select them with --all and filters, one of the two');
  }
  await (flags.all ? replayAll(session, flags) : replayEach(session, callIds, flags));
}

async function replayEach(session: Session, callIds: readonly string[], flags: ReplayFlags): Promise<void> {
  const { terminal, signal } = session;
  const client = await openClient(session, flags);
  for (const callId of callIds) {
    await client.deadLetters.replay(callId, given({ signal, kind: flags.kind }));
    if (flags.json) {
      terminal.printJson({ callId, replayed: true });
    } else {
      terminal.print(`${callId} replayed`);
    }
  }
}

const mostAtOnce = 1_000;

/** In several requests, so that progress can be shown. */
async function replayAll(session: Session, flags: ReplayFlags): Promise<void> {
  const { terminal, signal } = session;
  const client = await openClient(session, flags);
  const sum = { replayed: 0, skipped: 0, reasons: {} as Record<string, number> };
  for (let cursor: string | undefined; ; ) {
    const limit = Math.min(mostAtOnce, (flags.limit ?? Number.POSITIVE_INFINITY) - sum.replayed - sum.skipped);
    const answer = await client.deadLetters.replayMany(toFilter(flags, limit, cursor), { signal });
    sum.replayed += answer.replayed;
    sum.skipped += answer.skipped;
    for (const [reason, count] of Object.entries(answer.reasons)) {
      sum.reasons[reason] = (sum.reasons[reason] ?? 0) + count;
    }
    cursor = answer.cursor;
    if (cursor === undefined || sum.replayed + sum.skipped >= (flags.limit ?? Number.POSITIVE_INFINITY)) {
      break;
    }
    terminal.hint(`${sum.replayed} replayed so far`);
  }
  if (flags.json) {
    terminal.printJson(sum);
  } else {
    const why = Object.entries(sum.reasons).map(([reason, count]) => `${count} ${reason}`);
    terminal.print(`${sum.replayed} replayed${sum.skipped === 0 ? '' : `, ${sum.skipped} not: ${why.join(', ')}`}`);
  }
}

function toFilter(
  { function: name, queue, reason, kind }: ReplayFlags,
  limit: number,
  cursor: string | undefined,
): ReplayFilter {
  return given({ function: name, queue, reason, kind, limit, cursor });
}
