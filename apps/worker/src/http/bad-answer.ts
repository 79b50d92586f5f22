/** The response is not valid HTTP/1, or its headers are too large. */
export class BadAnswerError extends Error {
  override readonly name = 'BadAnswerError';
  readonly code: 'bad_response' | 'headers_too_large';

  constructor(reason: string, code: BadAnswerError['code'] = 'bad_response') {
    super(reason);
    this.code = code;
  }
}
