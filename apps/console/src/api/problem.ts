/** Why a request was not answered as wanted. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** Of the answer; 0 if there was none. */
  readonly status: number;
  /** The stable code of the gateway's problem, `unreachable` without an answer, or `other`. */
  readonly code: string;

  constructor(status: number, code: string, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.status = status;
    this.code = code;
  }

  static from(error: unknown): ApiProblem {
    return error instanceof ApiProblem
      ? error
      : new ApiProblem(0, 'unreachable', 'The gateway does not answer.', error);
  }

  /** @param body the answer's body, a problem (RFC 9457) if the gateway itself has answered */
  static ofAnswer(status: number, body: unknown): ApiProblem {
    const { code, detail, title } = typeof body === 'object' && body !== null ? (body as ProblemBody) : {};
    return new ApiProblem(status, code ?? 'other', detail ?? title ?? `The gateway answered ${status}.`);
  }
}

interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly title?: string;
}
