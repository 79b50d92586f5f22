const MAX_DEPTH = 5;

/** What is logged of an error. */
export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: SerializedError;
  /** The parts of an `AggregateError`, such as the addresses that a connection tried in vain. */
  readonly errors?: readonly SerializedError[];
}

/**
 * An error as the field `err` of a log line, with its causes. Of an error's own properties only `code` is taken: HTTP
 * clients hang bodies and headers on their errors, and these never belong in a log (promise P9).
 */
export function serializeError(error: unknown): SerializedError {
  return serialize(error, MAX_DEPTH);
}

function serialize(error: unknown, depth: number): SerializedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: textOf(error) };
  }
  const { message, stack, cause } = error;
  const type = error.constructor.name || error.name;
  return {
    type,
    message,
    ...codeOf(error),
    ...(stack === undefined ? {} : { stack }),
    ...(depth > 0 && cause !== undefined ? { cause: serialize(cause, depth - 1) } : {}),
    ...(depth > 0 && error instanceof AggregateError
      ? { errors: error.errors.map((part) => serialize(part, depth - 1)) }
      : {}),
  };
}

/** Of anything but a text only its kind: `String()` of an object runs that object's code. */
function textOf(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : Object.prototype.toString.call(thrown);
}

function codeOf(error: Error): { code?: string | number } {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? { code } : {};
}

/** A serialized error as text for people: its stack, then those of its parts and causes. */
export function formatSerializedError({ type, message, code, stack, cause, errors = [] }: SerializedError): string {
  const head = stack ?? `${type}: ${message}`;
  const own = code === undefined ? head : head.replace(/$/m, ` (${code})`);
  const others = [...errors, ...(cause === undefined ? [] : [cause])];
  const text = [own, ...others.map((other) => `caused by ${formatSerializedError(other)}`)].join('\n');
  // An error may quote a stranger's bytes, and a terminal obeys control characters.
  return text.replace(/(?!\n)\p{Cc}/gu, '');
}
