import type { DeadLetterPage, ReplayResult, StoredDeadLetter } from '@asyncfn/queue-core/jetstream';
import type { DeadLetterAdmin } from '../src/dead-letters/dead-letters.ts';

type BulkResult = Awaited<ReturnType<DeadLetterAdmin['replayMany']>>;

/** Dead letters with answers that a test sets, and a record of the requests. */
export class RecordingDeadLetters implements DeadLetterAdmin {
  available = true;
  readonly asked: unknown[][] = [];
  page: DeadLetterPage = { entries: [], next: undefined };
  found: StoredDeadLetter[] = [];
  removed = false;
  replayed: ReplayResult = { kind: 'kept', refusal: 'dead_letter_not_found' };
  bulk: BulkResult = { kind: 'done', replayed: 0, skipped: 0, refusals: {}, next: undefined };
  /** Thrown instead of an answer. */
  error: Error | undefined;

  list(...asked: Parameters<DeadLetterAdmin['list']>): Promise<DeadLetterPage> {
    return this.#answer(['list', ...asked], this.page);
  }

  find(...asked: Parameters<DeadLetterAdmin['find']>): Promise<StoredDeadLetter[]> {
    return this.#answer(['find', ...asked], this.found);
  }

  remove(...asked: Parameters<DeadLetterAdmin['remove']>): Promise<boolean> {
    return this.#answer(['remove', ...asked], this.removed);
  }

  replay(...[address, lookup, kind]: Parameters<DeadLetterAdmin['replay']>): Promise<ReplayResult> {
    return this.#answer(['replay', address, lookup('echo')?.queue, kind], this.replayed);
  }

  replayMany(...[query, options, lookup]: Parameters<DeadLetterAdmin['replayMany']>): Promise<BulkResult> {
    return this.#answer(['replayMany', query, options, lookup('echo')?.queue], this.bulk);
  }

  async #answer<T>(asked: unknown[], answer: T): Promise<T> {
    this.asked.push(asked);
    if (this.error !== undefined) {
      throw this.error;
    }
    return answer;
  }
}
