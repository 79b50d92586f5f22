/**
 * `unusable`: the binary that was asked for cannot be used. `not_found`: none found or fetched. `start_failed`: it did
 * not come up.
 */
export type NatsServerErrorCode = 'unusable' | 'not_found' | 'start_failed';

export class NatsServerError extends Error {
  override readonly name = 'NatsServerError';
  readonly code: NatsServerErrorCode;

  constructor(code: NatsServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The message of a thrown value, with the causes that have the real reason (fetch only says "fetch failed"). */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
