import { UnexpectedAnswerError } from '../errors/index.ts';
import { bytesOf } from '../http/index.ts';

/** The response of a function. */
export class CallResult {
  /**
   * The function's status. 503 if it could not be reached, 504 at its deadline or if the call expired, 502 if its response was too
   * large, all with an empty body.
   */
  readonly status: number;
  /** The headers of the result: those of the function's that describe it, and the gateway's own. */
  readonly headers: Headers;
  /** As the function sent it, but decoded if it has a `Content-Encoding` that `fetch` knows. */
  readonly body: Uint8Array<ArrayBuffer>;

  constructor(status: number, headers: Headers, body: Uint8Array<ArrayBuffer>) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** @throws UnexpectedAnswerError if it is not a result of a gateway */
  static async read(response: Response): Promise<CallResult> {
    const status = Number(response.headers.get('X-Function-Status') ?? Number.NaN);
    if (!Number.isInteger(status)) {
      throw new UnexpectedAnswerError('The answer has no X-Function-Status: is url that of a gateway?');
    }
    return new CallResult(status, response.headers, await bytesOf(response));
  }

  /** Whether the status is 200 to 399, which is a success. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 400;
  }

  /** The body as UTF-8 text. */
  text(): string {
    return new TextDecoder().decode(this.body);
  }

  /**
   * The body as JSON.
   *
   * @throws SyntaxError if it is not
   */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }
}
