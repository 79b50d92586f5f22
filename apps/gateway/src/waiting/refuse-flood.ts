import type { FairTurns } from '@asyncfn/queue-core';
import type { Caller } from '@asyncfn/tokens';
import { type Refusal, refusal } from '../problem.ts';

/** Maximum number of waiting look-ups of one submitter. */
const maxInTurn = 4_096;

/** Refuses a look-up if its submitter has too many waiting. Callers without a token are one submitter. */
export function refuseFlood(
  turns: Pick<FairTurns, 'waitingOf'>,
  { name }: Pick<Caller, 'name'>,
  max = maxInTurn,
): Refusal | undefined {
  if (turns.waitingOf(name ?? '') < max) {
    return undefined;
  }
  return name === undefined ? full : tooMany;
}

const retryAfter = { 'Retry-After': '1' };
const tooMany = refusal(
  'too_many_waiting',
  'Too many look-ups with this token are waiting. Try again when some of them are answered.',
  retryAfter,
);
const full = refusal('overloaded', 'Too many look-ups are waiting. Try again later.', retryAfter);
