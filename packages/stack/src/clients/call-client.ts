import { eventually } from '@asyncfn/testkit';
import { Pool } from 'undici';

/** The part of a call's state that tests use. */
export interface CallState {
  readonly callId: string;
  readonly status: string;
  readonly attempts: number;
  readonly [field: string]: unknown;
}

interface CallAnswer {
  readonly status: number;
  /** For a state; for a problem, its members. */
  readonly body: Record<string, unknown>;
  readonly tookMs: number;
}

const ends = new Set(['succeeded', 'failed', 'cancelled', 'expired']);

/** A client that requests the state of calls. */
export class CallClient implements AsyncDisposable {
  readonly #pool: Pool;

  constructor(gatewayUrl: string, connections = 50) {
    this.#pool = new Pool(gatewayUrl, { connections, headersTimeout: 0, bodyTimeout: 0 });
  }

  async ask(callId: string, query = '', method: 'GET' | 'DELETE' = 'GET'): Promise<CallAnswer> {
    const startedAt = performance.now();
    const response = await this.#pool.request({ method, path: `/async-function/${callId}${query}` });
    const body = (await response.body.json()) as Record<string, unknown>;
    return { status: response.statusCode, body, tookMs: performance.now() - startedAt };
  }

  /** The state of a call that must be known. */
  async state(callId: string, query = ''): Promise<CallState> {
    const { status, body } = await this.ask(callId, query);
    if (status !== 200) {
      throw new Error(`the state of ${callId} was answered ${status}: ${JSON.stringify(body)}`);
    }
    return body as CallState;
  }

  /** Waits until the call has this status. */
  async until(callId: string, status: string): Promise<CallState> {
    return await eventually(
      async () => {
        const state = await this.state(callId);
        return state.status === status ? state : undefined;
      },
      { message: `${callId} does not become ${status}` },
    );
  }

  async untilEnded(callId: string): Promise<CallState> {
    return await eventually(
      async () => {
        const state = await this.state(callId);
        return ends.has(state.status) ? state : undefined;
      },
      { message: `${callId} does not end` },
    );
  }

  /** The function's response, as the gateway returns it. */
  async result(callId: string) {
    const response = await this.#pool.request({ method: 'GET', path: `/async-function/${callId}/result` });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.from(await response.body.arrayBuffer()),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
