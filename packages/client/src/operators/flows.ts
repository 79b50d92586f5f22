import type { Flow, FlowFilter, FlowLimits, FlowPage } from '../api/index.ts';
import { type CallReference, checkReference } from '../calls/index.ts';
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

/**
 * Flow keys, of calls that were sent with `X-Flow-Key`. `submitter` is needed only if several tokens have calls of the key.
 * `unknown_function` if there is neither such a function nor such a key.
 */
export class Flows {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The keys that have calls, or that are paused or pinned, page by page. A key that changes meanwhile may come twice. */
  list(filter: FlowFilter = {}, options: RequestOptions = {}): AsyncGenerator<Flow, void, undefined> {
    return eachEntry(this.#transport, { path: '/system/flows', filter }, options, ({ flows }: FlowPage) => flows);
  }

  /** One key. Without calls it has zeros. */
  async get(functionName: string, key: string, options: CallReference = {}): Promise<Flow> {
    return await getJson<Flow>(this.#transport, pathOf(functionName, key, [], options), options);
  }

  /** No further call of the key begins until it is resumed. Those that have begun go on, with their retries. */
  async pause(functionName: string, key: string, options: CallReference = {}): Promise<Flow> {
    return await this.#send('POST', pathOf(functionName, key, ['pause'], options), options);
  }

  /** Ends a pause. */
  async resume(functionName: string, key: string, options: CallReference = {}): Promise<Flow> {
    return await this.#send('POST', pathOf(functionName, key, ['resume'], options), options);
  }

  /** Sets the limits of a key, in place of those of its function and of callers, until it is unpinned. */
  async pin(functionName: string, key: string, limits: FlowLimits, options: CallReference = {}): Promise<Flow> {
    return await this.#send('PUT', pathOf(functionName, key, [], options), options, limits);
  }

  /** Ends a pin. */
  async unpin(functionName: string, key: string, options: CallReference = {}): Promise<void> {
    const path = pathOf(functionName, key, [], options);
    await this.#transport.request({ method: 'DELETE', path, repeat: 'safe', signal: options.signal }, nothingOf);
  }

  async #send(method: 'POST' | 'PUT', path: string, options: RequestOptions, content?: FlowLimits): Promise<Flow> {
    return await sendJson<Flow>(this.#transport, { method, path, repeat: 'safe' }, options, content);
  }
}

function pathOf(functionName: string, key: string, parts: readonly string[], reference: CallReference): string {
  const { submitter } = checkReference(reference);
  return `/system/flows${toPath(functionName, key, ...parts)}${toQuery({ submitter })}`;
}
