import { bodyGone, type EndedCall } from '@asyncfn/queue-core';
import type { CallOptions } from '../calls/index.ts';
import type { PreferredResult, PreferredWaits, PreferringCall } from '../enqueue/index.ts';
import { openResult, partOf, resultHeaders } from '../results/index.ts';
import { untilEnded, WaitEnd, type WaiterPlace } from '../waiting/index.ts';
import { waitMsOf } from './parse-prefer.ts';

export type ResultWaitOptions = Pick<
  CallOptions,
  'calls' | 'watches' | 'waiters' | 'results' | 'bodies' | 'resultBudget' | 'resultTtlMs' | 'stopping' | 'logger'
>;

/**
 * Waits for results as requests with `?wait` do, within the same limits. The call is accepted whatever happens here: without a
 * place to wait, without the broker, or without a result that is kept, its caller gets the usual answer.
 */
export class ResultWaits implements PreferredWaits {
  readonly #options: ResultWaitOptions;

  constructor(options: ResultWaitOptions) {
    this.#options = options;
  }

  begin(preferring: PreferringCall): Promise<PreferredResult | undefined> | undefined {
    const { waiters, resultTtlMs } = this.#options;
    const waitMs = waitMsOf(preferring.prefer);
    if (waitMs === undefined || resultTtlMs === 0) {
      return undefined;
    }
    const place = waiters.admit(preferring.caller);
    return place.kind === 'refused' ? undefined : this.#wait(preferring, waitMs, place);
  }

  async #wait(preferring: PreferringCall, waitMs: number, place: WaiterPlace): Promise<PreferredResult | undefined> {
    const { call, response } = preferring;
    try {
      const ended = await this.#untilEnded(preferring, waitMs, place);
      return ended === undefined || response.destroyed ? undefined : await this.#read(ended, preferring);
    } catch (err) {
      this.#options.logger.warn({ callId: call.callId, err }, 'result of a call cannot be waited for');
      return undefined;
    }
  }

  async #untilEnded(
    { call, request: { socket } }: PreferringCall,
    waitMs: number,
    place: WaiterPlace,
  ): Promise<EndedCall | undefined> {
    using _ = place;
    // Calls of one connection are accepted at the same time: as many may wait as the limits of waiting requests allow.
    socket.setMaxListeners(0);
    using end = new WaitEnd({ socket, stopping: this.#options.stopping, waitMs });
    const state = await untilEnded({ ...this.#options, asker: place.asker }, call, end);
    return state?.kind === 'ended' ? state : undefined;
  }

  /** Undefined for a response that is not kept: where the result is asked for, the refusal says why. */
  async #read(ended: EndedCall, { caller, response }: PreferringCall): Promise<PreferredResult | undefined> {
    if (bodyGone(ended.outcome) !== undefined) {
      return undefined;
    }
    const result = await openResult(this.#options, ended, { response, submitter: caller.name });
    if (result.kind === 'refused') {
      return undefined;
    }
    const { content, send } = result;
    const own = resultHeaders(ended);
    const headers = flatten({ ...own, ...partOf(content, {}, own).headers });
    return { length: content.length, body: send({ from: 0, to: content.length }), headers };
  }
}

/** Names and values in turn. */
function flatten(headers: Readonly<Record<string, string | readonly string[]>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each]));
}
