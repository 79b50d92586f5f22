import { type AttemptRecord, QueueError, withAttempt } from '@asyncfn/queue-core';
import type { Handovers } from '@asyncfn/queue-core/jetstream';
import type { Verdict } from '@asyncfn/queue-core/settle';
import type { Logger } from '@asyncfn/service-kit';
import type { AttemptResult } from '../invoke/index.ts';
import type { CountedCall } from '../settle/index.ts';

export interface AttemptNotesOptions {
  readonly handovers: Pick<Handovers, 'findLost' | 'noteBegin'>;
  /** This worker, as attempts name it. */
  readonly worker: string;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Most characters that are kept of why a function did not answer. */
const maxErrorLength = 64;

/** The stored notes about the attempts of this worker. */
export class AttemptNotes {
  readonly #options: AttemptNotesOptions;

  constructor(options: AttemptNotesOptions) {
    this.#options = options;
  }

  /** The attempt that begins now. */
  begin(retry: number): AttemptRecord {
    const { worker, now } = this.#options;
    return { attempt: retry + 1, startedAt: Math.floor(now()), verdict: 'running', worker };
  }

  /**
   * Notes that an attempt begins with this delivery, before it begins, since the call may kill this worker. A first
   * delivery needs no note, so most calls cost nothing. Returns the attempts so far, with those that were lost with
   * their workers. Never rejects.
   */
  async beginAgain({ delivery, call }: CountedCall): Promise<AttemptRecord[]> {
    const { handovers, worker, now } = this.#options;
    const { streamSequence: sequence } = delivery.info;
    const lost = await this.#findLost({ delivery, call });
    await handovers.noteBegin(delivery, { v: 1, sequence, worker, startedAt: Math.floor(now()), lost });
    return withLost(call.history, lost);
  }

  /** The attempts so far of a call that was delivered again and is not begun. Throws `QueueError`. */
  async findAll({ delivery, call }: Pick<CountedCall, 'delivery' | 'call'>): Promise<AttemptRecord[]> {
    return withLost(call.history, await this.#options.handovers.findLost(delivery, call.retry + 1));
  }

  /** They are for people to read: the call does not wait for a broker that does not tell them. */
  async #findLost({ delivery, call }: Pick<CountedCall, 'delivery' | 'call'>): Promise<AttemptRecord[]> {
    const { handovers, logger } = this.#options;
    try {
      return await handovers.findLost(delivery, call.retry + 1);
    } catch (err) {
      if (!(err instanceof QueueError)) {
        throw err;
      }
      const { callId, function: name, queue } = delivery;
      logger.warn({ err, callId, function: name, queue }, 'lost attempts of a call cannot be read, and are not shown');
      return [];
    }
  }
}

/** The attempt with its result, and what was decided. */
export function ended(begun: AttemptRecord, result: AttemptResult, verdict: Verdict['kind']): AttemptRecord {
  const { attempt, startedAt, worker = '' } = begun;
  const durationMs = Math.round(result.durationMs);
  return result.kind === 'answered'
    ? { attempt, startedAt, durationMs, status: result.status, verdict, worker }
    : { attempt, startedAt, durationMs, error: errorOf(result), verdict, worker };
}

/** `unreachable: ECONNREFUSED` */
function errorOf({ kind, code }: AttemptResult): string {
  return (code === undefined || code === kind ? kind : `${kind}: ${code}`).slice(0, maxErrorLength);
}

function withLost(history: AttemptRecord[] | undefined, lost: readonly AttemptRecord[]): AttemptRecord[] {
  return lost.reduce((all, one) => withAttempt(all, one), history ?? []);
}
