/**
 * The class of all errors of this package, with a stable `code` for programs. What an `AbortSignal` ends is rejected with
 * the reason of the signal instead, as `fetch` does.
 */
export class AsyncfnError extends Error {
  override readonly name: string = 'AsyncfnError';
  readonly code: string;
  /**
   * The `Idempotency-Key` that the failed request had, if any. Send the request again with it: if the gateway has stored it
   * after all, it answers with the same call.
   */
  idempotencyKey?: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** An option or argument is not valid. Nothing was sent. Its `code` is `invalid_option`. */
export class OptionError extends AsyncfnError {
  override readonly name = 'OptionError';

  constructor(message: string) {
    super('invalid_option', message);
  }
}

/** The members of a problem (RFC 9457), as far as the answer had them. */
export interface ProblemFields {
  readonly code?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly [member: string]: unknown;
}

/** The gateway has refused a request. `code` is that of the problem, such as `unknown_function`. */
export class ProblemError extends AsyncfnError {
  override readonly name = 'ProblemError';
  /** Of the answer: 400 to 599. */
  readonly status: number;
  /** What is wrong, in words that are the same each time. */
  readonly title: string;
  /** What is wrong in this case; empty if the answer does not say. */
  readonly detail: string;
  /** All members of the problem; `call` is the state of a call that has ended already, for example. */
  readonly problem: ProblemFields;
  /** In milliseconds: what `Retry-After` asks for. Undefined without that header. */
  readonly retryAfterMs: number | undefined;

  /** @param problem empty if a proxy has answered; its status says what there is to say: the code is `http_502` then */
  constructor(status: number, problem: ProblemFields = {}, retryAfterMs?: number) {
    const title = textOf(problem.title) ?? `The gateway, or a proxy in front of it, answered ${status}`;
    const detail = textOf(problem.detail) ?? '';
    super(textOf(problem.code) ?? `http_${status}`, detail === '' ? title : `${title}: ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** `unreachable`: the connection failed or broke. `timeout`: no whole answer within `requestTimeoutMs`. */
export type UnreachableErrorCode = 'unreachable' | 'timeout';

/** There was no answer, so it is unknown whether the gateway has carried out the request. */
export class UnreachableError extends AsyncfnError {
  override readonly name = 'UnreachableError';
  declare readonly code: UnreachableErrorCode;

  constructor(code: UnreachableErrorCode, message: string, cause?: unknown) {
    super(code, message, cause);
  }
}

/** An answer is not what the API promises: `url` leads to something else, or a proxy changes answers. */
export class UnexpectedAnswerError extends AsyncfnError {
  override readonly name = 'UnexpectedAnswerError';

  constructor(message: string, cause?: unknown) {
    super('unexpected_answer', message, cause);
  }
}

export type CallbackErrorCode =
  /** A header of the signature is missing or malformed, or there are too many signatures. */
  | 'invalid_headers'
  /** `webhook-timestamp` is further in the past than `toleranceSeconds`: perhaps the replay of an old callback. */
  | 'too_old'
  /** `webhook-timestamp` is further in the future than `toleranceSeconds`: compare the clocks. */
  | 'too_new'
  /** No signature was made with one of the secrets for this body and these headers. */
  | 'invalid_signature';

/** A callback is not genuine. Answer 401 and do nothing else with it. The message quotes nothing that was sent. */
export class CallbackError extends AsyncfnError {
  override readonly name = 'CallbackError';
  declare readonly code: CallbackErrorCode;

  constructor(code: CallbackErrorCode, message: string) {
    super(code, message);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
