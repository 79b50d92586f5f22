import { Pool } from 'undici';

export interface CallRequest {
  /** Sub-path and query, after the name of the function. */
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly callbackUrl?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The code of a problem, by which programs decide. */
  readonly code: string | undefined;
  readonly callId: string;
  readonly tookMs: number;
}

/** A caller of the gateway, with connections that are kept alive. */
export class ApiClient implements AsyncDisposable {
  readonly #pool: Pool;

  constructor(gatewayUrl: string, connections = 50) {
    this.#pool = new Pool(gatewayUrl, { connections });
  }

  /** Enqueues a call. Rejects if the connection breaks. */
  async call(
    name: string,
    { target = '', headers = {}, body = '', callbackUrl }: CallRequest = {},
  ): Promise<ApiAnswer> {
    const startedAt = performance.now();
    const response = await this.#pool.request({
      method: 'POST',
      path: `/async-function/${name}${target}`,
      headers: { ...headers, ...(callbackUrl !== undefined && { 'X-Callback-Url': callbackUrl }) },
      body,
    });
    const text = await response.body.text();
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      code: response.statusCode >= 400 ? (JSON.parse(text) as { code?: string }).code : undefined,
      callId: String(response.headers['x-call-id'] ?? ''),
      tookMs: performance.now() - startedAt,
    };
  }

  /** Enqueues a call that must be accepted; returns its id. */
  async accept(name: string, request?: CallRequest): Promise<string> {
    const { status, text, callId } = await this.call(name, request);
    if (status !== 202) {
      throw new Error(`a call was answered ${status}: ${text}`);
    }
    return callId;
  }

  /** Enqueues `count` calls, as many at once as there are connections; returns their ids. */
  async acceptMany(name: string, count: number, request?: CallRequest): Promise<string[]> {
    return await Promise.all(Array.from({ length: count }, () => this.accept(name, request)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
