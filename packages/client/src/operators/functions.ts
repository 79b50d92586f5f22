import type { FunctionSettings, RegisteredFunction, Scaling } from '../api/index.ts';
import {
  getJson,
  jsonBody,
  jsonOf,
  nothingOf,
  type RequestOptions,
  sendJson,
  type Transport,
  toPath,
  toQuery,
} from '../http/index.ts';
import { isGone } from './calls.ts';
import { type PurgeOptions, purge } from './purge.ts';

export interface PutOptions extends RequestOptions {
  /** Whether the function must be new; `precondition_failed` if it is not. Default: new or not. */
  readonly mustBeNew?: boolean;
}

export interface RemoveOptions extends RequestOptions {
  /** Whether its waiting calls are cancelled first. Default: no, and `calls_waiting` if there are any. */
  readonly purge?: boolean;
}

/** Between two answers that say that a purge goes on. */
const pauseMs = 1_000;

/** The register of functions. A change is live in every process within 2 s. `unknown_function` for a name that is not there. */
export class Functions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All functions, by name. */
  async list(options: RequestOptions = {}): Promise<RegisteredFunction[]> {
    const { functions } = await getJson<{ functions: RegisteredFunction[] }>(
      this.#transport,
      '/system/functions',
      options,
    );
    return functions;
  }

  /** One function. */
  async get(name: string, options: RequestOptions = {}): Promise<RegisteredFunction> {
    return await getJson<RegisteredFunction>(this.#transport, pathOf(name), options);
  }

  /** Registers a function, or replaces all its settings. `invalid_function` names every setting that is wrong. */
  async put(name: string, settings: FunctionSettings, options: PutOptions = {}): Promise<RegisteredFunction> {
    const { headers = new Headers(), body } = jsonBody(settings);
    if (options.mustBeNew === true) {
      headers.set('If-None-Match', '*');
    }
    // A function that is there after an unclear answer may be the one that was put.
    const repeat = options.mustBeNew === true ? 'refused' : 'safe';
    const request = { method: 'PUT', path: pathOf(name), headers, body, repeat, signal: options.signal } as const;
    return await this.#transport.request(request, jsonOf<RegisteredFunction>);
  }

  /** Removes a function; if a functions file has it, only what this API has set. */
  async remove(name: string, options: RemoveOptions = {}): Promise<void> {
    const { signal } = options;
    const path = pathOf(name) + toQuery({ purge: options.purge });
    const request = { method: 'DELETE', path, repeat: 'safe', signal } as const;
    while (!(await this.#transport.request(request, isRemoved, isGone))) {
      await this.#transport.clock.sleep(pauseMs, signal);
    }
  }

  /** No call of the function is begun until it is resumed; new ones are accepted and wait. */
  async pause(name: string, options: RequestOptions = {}): Promise<RegisteredFunction> {
    return await this.#post(name, 'pause', options);
  }

  /** Ends a pause. */
  async resume(name: string, options: RequestOptions = {}): Promise<RegisteredFunction> {
    return await this.#post(name, 'resume', options);
  }

  /** Cancels the waiting calls of a function, and returns how many they were. */
  async purge(name: string, options: PurgeOptions = {}): Promise<number> {
    return await purge(this.#transport, pathOf(name, 'purge'), options);
  }

  /** What a scaler needs to know; zeros for a function without calls. */
  async scaling(name: string, options: RequestOptions = {}): Promise<Scaling> {
    return await getJson<Scaling>(this.#transport, `/system/scaling${toPath(name)}`, options);
  }

  async #post(name: string, action: string, options: RequestOptions): Promise<RegisteredFunction> {
    const request = { method: 'POST', path: pathOf(name, action), repeat: 'safe' } as const;
    return await sendJson<RegisteredFunction>(this.#transport, request, options);
  }
}

function pathOf(name: string, ...parts: readonly string[]): string {
  return `/system/functions${toPath(name, ...parts)}`;
}

/** 202 says that its calls are still being cancelled. */
async function isRemoved(response: Response): Promise<boolean> {
  await nothingOf(response);
  return response.status !== 202;
}
