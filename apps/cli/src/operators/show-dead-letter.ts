import { type AsyncfnClient, type Attempt, type DeadLetterDetail, ProblemError } from '@asyncfn/client';
import { formatDuration } from '@asyncfn/units';
import { type Common, given } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { type Column, formatAge, formatBytes } from '../terminal/index.ts';

interface ShowFlags extends Common {
  readonly kind?: 'call' | 'callback';
}

/** Prints one dead letter with its attempts. */
export async function showDeadLetter(session: Session, callId: string, flags: ShowFlags): Promise<void> {
  const { terminal, signal, now } = session;
  const client = await openClient(session, flags);
  const letter = await client.deadLetters.get(callId, given({ signal, kind: flags.kind }));
  const attempts = await attemptsOf(client, letter, signal);
  if (flags.json) {
    terminal.printJson({ ...letter, attemptList: attempts });
    return;
  }
  terminal.printFacts(factsOf(letter, now()));
  if (attempts.length > 0) {
    terminal.print('');
    terminal.printTable(attempts, columns(now()));
  }
}

/** A callback has none, and those of old letters may be gone. */
async function attemptsOf(client: AsyncfnClient, letter: DeadLetterDetail, signal: AbortSignal): Promise<Attempt[]> {
  try {
    return letter.kind === 'call' ? await client.deadLetters.attempts(letter.callId, { signal }) : [];
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) {
      return [];
    }
    throw error;
  }
}

function factsOf(letter: DeadLetterDetail, nowMs: number): [string, string | number | undefined][] {
  return [
    ['call', letter.callId],
    ['kind', letter.kind],
    ['function', letter.function],
    ['path', letter.path],
    ['queue', letter.queue],
    ['reason', letter.reason],
    ['answer', letter.lastStatus ?? letter.functionStatus],
    ['attempts', letter.attempts],
    ['created', `${letter.createdAt} (${formatAge(letter.createdAt, nowMs)})`],
    ['ended', `${letter.endedAt} (${formatAge(letter.endedAt, nowMs)})`],
    ['body', formatBytes(letter.bytes)],
    ['not kept', letter.omitted],
    ['labels', letter.labels?.join(', ')],
    ['callback', letter.callbackUrl],
    ['submitter', letter.submitter],
    ['replays', letter.replays],
  ];
}

function columns(nowMs: number): Column<Attempt>[] {
  return [
    { title: 'attempt', of: ({ attempt }) => attempt, align: 'right' },
    { title: 'started', of: ({ startedAt }) => formatAge(startedAt, nowMs), align: 'right' },
    { title: 'took', of: ({ durationMs }) => (durationMs === undefined ? undefined : formatDuration(durationMs)) },
    { title: 'answer', of: ({ status }) => status, align: 'right' },
    { title: 'verdict', of: ({ verdict }) => verdict },
    { title: 'error', of: ({ error }) => error, isFlexible: true },
  ];
}
