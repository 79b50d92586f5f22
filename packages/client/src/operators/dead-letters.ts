import type {
  Attempt,
  DeadLetter,
  DeadLetterDetail,
  DeadLetterFilter,
  DeadLetterPage,
  Replayed,
  ReplayFilter,
} from '../api/index.ts';
import { type CallReference, checkReference, referenceOptions } from '../calls/index.ts';
import { checkOptions } from '../errors/index.ts';
import {
  eachEntry,
  getJson,
  nothingOf,
  type RequestOptions,
  sendJson,
  type Transport,
  toPath,
  toQuery,
} from '../http/index.ts';
import { isGone } from './calls.ts';

/** Which dead letter an id means. */
export interface DeadLetterReference extends CallReference {
  /** The call, or its callback. Default: whichever there is, the call first. */
  readonly kind?: 'call' | 'callback';
}

/** Calls and callbacks that failed for good. `dead_letter_not_found` for an id that is not among them. */
export class DeadLetters {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All that the filter selects, oldest first, page by page; `limit` is how many a page has. */
  list(filter: DeadLetterFilter = {}, options: RequestOptions = {}): AsyncGenerator<DeadLetter, void, undefined> {
    return eachEntry(
      this.#transport,
      { path: '/system/dead-letters', filter },
      options,
      ({ deadLetters }: DeadLetterPage) => deadLetters,
    );
  }

  async get(callId: string, options: DeadLetterReference = {}): Promise<DeadLetterDetail> {
    return await getJson<DeadLetterDetail>(this.#transport, pathOf(callId, [], options), options);
  }

  /** The attempts of a failed call, oldest first. */
  async attempts(callId: string, reference: CallReference = {}): Promise<Attempt[]> {
    const { submitter, signal } = checkReference(reference);
    const path = pathOf(callId, ['attempts'], { submitter });
    const { attempts } = await getJson<{ attempts: Attempt[] }>(this.#transport, path, { signal });
    return attempts;
  }

  /**
   * Puts one back into its queue, with a fresh retry budget. Not sent again if no answer comes: look whether it is still there.
   */
  async replay(callId: string, options: DeadLetterReference = {}): Promise<void> {
    const path = pathOf(callId, ['replay'], options);
    const { signal } = options;
    await this.#transport.request({ method: 'POST', path, repeat: 'refused', signal }, nothingOf);
  }

  /**
   * Puts many back, at most `limit` (1,000 by default). If the answer has a `cursor`, more are left: continue with it. Not sent
   * again if no answer comes.
   */
  async replayMany(filter: ReplayFilter = {}, options: RequestOptions = {}): Promise<Replayed> {
    const request = { method: 'POST', path: '/system/dead-letters/replay', repeat: 'refused' } as const;
    return await sendJson<Replayed>(this.#transport, request, options, filter);
  }

  /** Drops one for good. */
  async drop(callId: string, options: DeadLetterReference = {}): Promise<void> {
    const request = { method: 'DELETE', path: pathOf(callId, [], options), repeat: 'safe' } as const;
    await this.#transport.request<true>({ ...request, signal: options.signal }, nothingOf, isGone);
  }
}

function pathOf(callId: string, parts: readonly string[], options: DeadLetterReference): string {
  checkOptions(options, { ...referenceOptions, kind: true });
  const { kind, submitter } = options;
  return `/system/dead-letters${toPath(callId, ...parts)}${toQuery({ kind, submitter })}`;
}
