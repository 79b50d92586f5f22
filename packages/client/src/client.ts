import type { Attempt, CallState } from './api/index.ts';
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
import { Transport, type TransportOptions } from './http/index.ts';

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
  readonly #transport: Transport;

  /** @throws OptionError */
  constructor(options: AsyncfnClientOptions) {
    this.#transport = new Transport(options);
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
}
