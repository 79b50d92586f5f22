import { type Dispatcher, request } from 'undici';

/** What a client of `GET /system/events` has been told. */
export interface SystemEvent {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventsClientOptions {
  /** With the question mark. Default: none. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Follows what happens to calls. */
export class EventsClient implements AsyncDisposable {
  readonly events: SystemEvent[] = [];
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  readonly #gone: AbortController;
  #rest = '';

  private constructor({ body }: Dispatcher.ResponseData, gone: AbortController) {
    this.#gone = gone;
    body.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.ended = new Promise((resolve) => body.once('close', resolve).on('error', () => resolve()));
  }

  /** Resolves once it is told what happens from then on. */
  static async open(gatewayUrl: string, { query = '', headers = {} }: EventsClientOptions = {}): Promise<EventsClient> {
    const gone = new AbortController();
    const answer = await request(`${gatewayUrl}/system/events${query}`, {
      headers,
      signal: gone.signal,
      bodyTimeout: 0,
    });
    if (answer.statusCode !== 200) {
      throw new Error(`the events were answered ${answer.statusCode}: ${await answer.body.text()}`);
    }
    return new EventsClient(answer, gone);
  }

  /** The kinds of all events of a call, in their order. */
  kindsOf(callId: string): string[] {
    return this.of(callId).map(({ kind }) => kind);
  }

  of(callId: string): SystemEvent[] {
    return this.events.filter(({ data }) => data['callId'] === callId);
  }

  /** How many events were left out, as far as that is known. */
  get missed(): number {
    const told = this.events.filter(({ kind }) => kind === 'missed').map(({ data }) => Number(data['missed'] ?? 0));
    return told.reduce((sum, count) => sum + count, 0);
  }

  /** How many events of calls came. */
  get received(): number {
    return this.events.filter(({ kind }) => kind !== 'missed').length;
  }

  #take(text: string): void {
    const parts = `${this.#rest}${text}`.split('\n\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const [, kind, data] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
      if (kind !== undefined && data !== undefined) {
        this.events.push({ kind, data: JSON.parse(data) as SystemEvent['data'] });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort();
    await this.ended;
  }
}
