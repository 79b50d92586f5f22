import type { BatchState } from '../api/index.ts';
import { longPoll, type Waiting } from '../calls/index.ts';
import { UnreachableError } from '../errors/index.ts';
import { jsonOf, parseJson, type RequestOptions, type Transport, toPath, toQuery } from '../http/index.ts';
import { toLines } from '../streams/index.ts';
import { BatchResult, type ResultLine } from './batch-result.ts';

export interface BatchWaitOptions extends RequestOptions {
  /** How long to wait, in milliseconds. Default: until the batch has ended. */
  readonly timeoutMs?: number;
}

export interface BatchResultOptions extends RequestOptions {
  /** The `index` to begin with. Default 0. */
  readonly from?: number;
  /** How many results are asked for at once, 1 to 1,000. Default 1,000. */
  readonly pageSize?: number;
}

/** The longest time between two pieces of a page. */
const silenceMs = 60_000;

/** Batches by their id. `batch_not_found` if it is not known, or no longer. */
export class Batches {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The state of a batch. */
  async get(batchId: string, options: RequestOptions = {}): Promise<BatchState> {
    return await this.#ask(batchId, options);
  }

  /** The state of a batch when it has ended, or when `timeoutMs` is over: then it has no `endedAt`. */
  async wait(batchId: string, { timeoutMs, signal }: BatchWaitOptions = {}): Promise<BatchState> {
    return await longPoll(
      this.#transport,
      { timeoutMs, signal },
      ({ endedAt }) => endedAt !== undefined,
      (waiting) => this.#ask(batchId, { signal }, waiting),
    );
  }

  /** The results of the accepted calls, in their order, page by page. A page that breaks off is continued. */
  async *results(batchId: string, options: BatchResultOptions = {}): AsyncGenerator<BatchResult, void, undefined> {
    let cursor: string | null = options.from === undefined ? null : String(options.from);
    do {
      const page = this.#readPage(batchId, cursor, options);
      let next = await page.next();
      for (; !next.done; next = await page.next()) {
        yield next.value;
      }
      cursor = next.value;
    } while (cursor !== null);
  }

  /** Cancels the calls that have not ended. `already_ended` if the batch has. */
  async cancel(batchId: string, { signal }: RequestOptions = {}): Promise<BatchState> {
    const request = { method: 'DELETE', path: `/async-batch${toPath(batchId)}`, repeat: 'safe', signal } as const;
    return await this.#transport.request(request, jsonOf<BatchState>);
  }

  async #ask(batchId: string, { signal }: RequestOptions, waiting: Partial<Waiting> = {}): Promise<BatchState> {
    const { parameter, ...limits } = waiting;
    const path = (): string => `/async-batch${toPath(batchId)}${toQuery({ wait: parameter?.() })}`;
    const request = { method: 'GET', path, repeat: 'safe', signal, ...limits } as const;
    return await this.#transport.request(request, jsonOf<BatchState>);
  }

  /** Returns where the next page begins, null if this is the last. */
  async *#readPage(
    batchId: string,
    cursor: string | null,
    { pageSize, signal }: BatchResultOptions,
  ): AsyncGenerator<BatchResult, string | null, undefined> {
    const query = toQuery({ cursor: cursor ?? undefined, limit: pageSize });
    const path = `/async-batch${toPath(batchId, 'results')}${query}`;
    let next: string | null = null;
    let reached: number | undefined;
    const onOpen = (headers: Headers): void => {
      next = headers.get('X-Next-Cursor');
    };
    try {
      const request = { method: 'GET', path, repeat: 'safe', signal } as const;
      for await (const line of toLines(this.#transport.stream(request, silenceMs, onOpen))) {
        const result = new BatchResult(parseJson<ResultLine>(line));
        reached = result.index;
        yield result;
      }
      return next;
    } catch (error) {
      if (reached !== undefined && error instanceof UnreachableError) {
        return String(reached + 1);
      }
      throw error;
    }
  }
}
