import type { DeadLetterPage, ReplayResult, StoredDeadLetter } from '@asyncfn/queue-core/jetstream';
import type { DeadLetterDesk } from '../src/dead-letters/dead-letters.ts';

type BulkResult = Awaited<ReturnType<DeadLetterDesk['replayMany']>>;

/** Dead letters that are told what to answer, and keep what they were asked. */
export class RecordingDeadLetters implements DeadLetterDesk {
  available = true;
  readonly asked: unknown[][] = [];
  page: DeadLetterPage = { entries: [], next: undefined };
  found: StoredDeadLetter[] = [];
  removed = false;
  replayed: ReplayResult = { kind: 'kept', obstacle: 'dead_letter_not_found' };
  bulk: BulkResult = { kind: 'done', replayed: 0, skipped: 0, obstacles: {}, next: undefined };
  /** Thrown instead of an answer. */
  error: Error | undefined;

  list(...asked: Parameters<DeadLetterDesk['list']>): Promise<DeadLetterPage> {
    return this.#answer(['list', ...asked], this.page);
  }

  find(...asked: Parameters<DeadLetterDesk['find']>): Promise<StoredDeadLetter[]> {
    return this.#answer(['find', ...asked], this.found);
  }

  remove(...asked: Parameters<DeadLetterDesk['remove']>): Promise<boolean> {
    return this.#answer(['remove', ...asked], this.removed);
  }

  replay(...[address, lookup, kind]: Parameters<DeadLetterDesk['replay']>): Promise<ReplayResult> {
    return this.#answer(['replay', address, lookup('echo')?.queue, kind], this.replayed);
  }

  replayMany(...[query, options, lookup]: Parameters<DeadLetterDesk['replayMany']>): Promise<BulkResult> {
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
