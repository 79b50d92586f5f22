import type { FairTurns } from '@asyncfn/queue-core';
import type { Caller } from '@asyncfn/tokens';
import { type Refusal, refusal } from '../problem.ts';

/** Look-ups of one submitter that may wait for their turn. */
const maxInTurn = 4_096;

/** The refusal of a look-up whose submitter has as many waiting as may. Callers without a token are one submitter. */
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
  'As many look-ups with this token wait for their turn as may. Ask again when some of them have their answers.',
  retryAfter,
);
const full = refusal('overloaded', 'As many look-ups wait for their turn as may. Ask again later.', retryAfter);
