/** An answer of the operators' API. */
export interface OperatorAnswer {
  readonly status: number;
  readonly etag: string;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

interface OperatorRequest {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Speaks to `/system/...` of one gateway. */
export class Operator {
  readonly #url: string;

  constructor(gatewayUrl: string) {
    this.#url = `${gatewayUrl}/system`;
  }

  async ask(method: string, path: string, { body, headers = {} }: OperatorRequest = {}): Promise<OperatorAnswer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      retryAfter: response.headers.get('retry-after'),
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  register(name: string, settings: object, headers?: Readonly<Record<string, string>>): Promise<OperatorAnswer> {
    return this.ask('PUT', `/functions/${name}`, { body: settings, ...(headers && { headers }) });
  }

  show(name: string): Promise<OperatorAnswer> {
    return this.ask('GET', `/functions/${name}`);
  }
}
