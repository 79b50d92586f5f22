import type {
  Attempt,
  CallFilter,
  CallPage,
  CallState,
  CancelFilter,
  Cancelled,
  GatewayInfo,
  Processes,
  TokenInfo,
} from './api/index.ts';
import {
  type BatchCall,
  Batches,
  type BatchOptions,
  type BatchReceipt,
  makeBatch,
  makeGroup,
} from './batches/index.ts';
import {
  type IncomingCallback,
  type VerifiedCallback,
  type VerifyCallbackOptions,
  verifyCallback,
} from './callbacks/index.ts';
import {
  type CallBody,
  type CallOptions,
  type CallReceipt,
  type CallReference,
  type CallResult,
  cancelCall,
  getAttempts,
  getCall,
  getResult,
  makeCall,
  type WaitOptions,
  waitForCall,
} from './calls/index.ts';
import { getJson, type RequestOptions, sendJson, Transport, type TransportOptions } from './http/index.ts';
import { DeadLetters, eachCall, eraseCall, Flows, Functions, findCalls, Queues, Schedules } from './operators/index.ts';
import { type CallEvent, type EventOptions, followCall, followEvents, type MissedEvents } from './streams/index.ts';

/** The settings of a client. */
export interface AsyncfnClientOptions extends TransportOptions {}

/**
 * A client of one gateway, or of several behind one URL. It holds no connection open and needs no end.
 *
 * Every method throws
 * - `OptionError` for an argument that cannot be right; nothing is sent then,
 * - `ProblemError` if the gateway refuses the request, with the `code` of the problem,
 * - `UnreachableError` if no answer came, after the retries,
 * - `UnexpectedAnswerError` if the answer is not one of a gateway,
 * - and what the `signal` of its options was aborted with.
 */
export class AsyncfnClient {
  /** Batches: their state, their results. */
  readonly batches: Batches;
  /** For operators: the register of functions. */
  readonly functions: Functions;
  /** For operators: the queues. */
  readonly queues: Queues;
  /** For operators: the flow keys that have calls. */
  readonly flows: Flows;
  /** For operators: what calls functions by itself. */
  readonly schedules: Schedules;
  /** For operators: calls and callbacks that failed for good. */
  readonly deadLetters: DeadLetters;
  readonly #transport: Transport;

  /** @throws OptionError */
  constructor(options: AsyncfnClientOptions) {
    this.#transport = new Transport(options);
    this.batches = new Batches(this.#transport);
    this.functions = new Functions(this.#transport);
    this.queues = new Queues(this.#transport);
    this.flows = new Flows(this.#transport);
    this.schedules = new Schedules(this.#transport);
    this.deadLetters = new DeadLetters(this.#transport);
  }

  /**
   * Calls a function. The call is stored when the promise is fulfilled, and the function is called later.
   *
   * A call is retried with the same `Idempotency-Key`, so that it stays one call whatever happens to the connection or the
   * gateway. Only a body that is a stream is sent once: if that fails, make the call again with another stream.
   *
   * @param name `NAME` or `NAME.NAMESPACE`
   * @param body text, bytes, a form, a stream, or a value that is sent as JSON. Default: none
   */
  async call(name: string, body?: CallBody, options: CallOptions = {}): Promise<CallReceipt> {
    return await makeCall(this.#transport, name, body, options);
  }

  /**
   * Makes many calls with one request, and one batch of them: at most 10,000 (`MAX_BATCH_CALLS`). The promise is fulfilled if the
   * gateway accepts one at least; look at each of `calls` for its `problem`. Retried with one `Idempotency-Key`, like a call.
   */
  async batch(calls: Iterable<BatchCall>, options: BatchOptions = {}): Promise<BatchReceipt> {
    return await makeBatch(this.#transport, calls, options);
  }

  /** Calls each function of a group of the functions file, as a batch. Otherwise like `call()`. */
  async callGroup(group: string, body?: CallBody, options: Omit<CallOptions, 'waitMs'> = {}): Promise<BatchReceipt> {
    return await makeGroup(this.#transport, group, body, options);
  }

  /** The state of a call. `call_not_found` if it is not known, or no longer. */
  async get(callId: string, options: CallReference = {}): Promise<CallState> {
    return await getCall(this.#transport, callId, options);
  }

  /**
   * The state of a call when it has ended, or when `timeoutMs` is over: `hasEnded(state)` tells which. Connections that break
   * meanwhile are made again.
   */
  async wait(callId: string, options: WaitOptions = {}): Promise<CallState> {
    return await waitForCall(this.#transport, callId, options);
  }

  /**
   * The response of the function. `not_ended` if there is none yet, so `wait()` first; `result_gone` if it is not kept, or if the
   * call was cancelled or has expired. The result of a failed call is what the function answered last.
   */
  async result(callId: string, options: CallReference = {}): Promise<CallResult> {
    return await getResult(this.#transport, callId, options);
  }

  /** The attempts of a call, oldest first. */
  async attempts(callId: string, options: CallReference = {}): Promise<Attempt[]> {
    return await getAttempts(this.#transport, callId, options);
  }

  /** Cancels a call, whatever it does, and the steps that follow it. `already_ended` if it has ended; `problem.call` is its state. */
  async cancel(callId: string, options: CallReference = {}): Promise<CallState> {
    return await cancelCall(this.#transport, callId, options);
  }

  /**
   * The states of a call as they change, from the present one to its end: `for await (const state of client.follow(callId))`.
   * A broken connection is made again. Very short states may be left out.
   */
  follow(callId: string, options: CallReference = {}): AsyncGenerator<CallState, void, undefined> {
    return followCall(this.#transport, callId, options);
  }

  /**
   * What happens to calls, for ever: `for await (const event of client.events())`, until `break` or the signal. A broken
   * connection is made again. Under load most events are left out; `missed` says how many.
   */
  events(options: EventOptions = {}): AsyncGenerator<CallEvent | MissedEvents, never, undefined> {
    return followEvents(this.#transport, options);
  }

  /** The calls that a filter selects, newest first, page by page; `limit` is how many a page has, 100 by default. */
  calls(filter: CallFilter = {}, options: RequestOptions = {}): AsyncGenerator<CallState, void, undefined> {
    return eachCall(this.#transport, filter, options);
  }

  /** One page of `calls()`: it says where the next one begins, and whether the search was cut short. */
  async callsPage(filter: CallFilter = {}, options: RequestOptions = {}): Promise<CallPage> {
    return await findCalls(this.#transport, filter, options);
  }

  /**
   * Cancels the calls that a filter selects and that have not ended, 10,000 at most. If `complete` is false, some may be left:
   * send the same again.
   */
  async cancelCalls(filter: CancelFilter, options: RequestOptions = {}): Promise<Cancelled> {
    // Twice is more than once if it is counted.
    const repeat = filter.limit === undefined ? 'safe' : 'refused';
    const request = { method: 'POST', path: '/system/calls/cancel', repeat } as const;
    return await sendJson<Cancelled>(this.#transport, request, options, filter);
  }

  /** Erases all that is kept of an ended call. `not_ended` if it has not. */
  async erase(callId: string, options: CallReference = {}): Promise<void> {
    await eraseCall(this.#transport, callId, options);
  }

  /** As the function of this name, which needs no client. */
  async verifyCallback(callback: IncomingCallback, options: VerifyCallbackOptions): Promise<VerifiedCallback> {
    return await verifyCallback(callback, options);
  }

  /** Name and scopes of the client's token. */
  async token(options: RequestOptions = {}): Promise<TokenInfo> {
    return await getJson<TokenInfo>(this.#transport, '/system/token', options);
  }

  /** The gateways and workers that are connected, and what workers have learnt about functions. */
  async processes(options: RequestOptions = {}): Promise<Processes> {
    return await getJson<Processes>(this.#transport, '/system/processes', options);
  }

  /** Name and version of the gateway. */
  async info(options: RequestOptions = {}): Promise<GatewayInfo> {
    return await getJson<GatewayInfo>(this.#transport, '/', options);
  }
}
