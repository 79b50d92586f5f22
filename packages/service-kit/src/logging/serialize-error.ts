const MAX_DEPTH = 5;

/** The logged part of an error. */
export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: SerializedError;
  /** The parts of an `AggregateError`, such as the addresses that a connection tried without success. */
  readonly errors?: readonly SerializedError[];
}

/**
 * An error as the field `err` of a log line, with its causes. Of an error's own properties only `code` is taken: HTTP
 * clients hang bodies and headers on their errors, and these never belong in a log (promise P9). Errors of normal work,
 * such as a broker or a function that is away, say all by their message: their stacks, and those of their causes, are
 * left out. They are those whose `expected` is true, those of system calls, and undici's.
 */
export function serializeError(error: unknown): SerializedError {
  return serialize(error, MAX_DEPTH, false);
}

function serialize(error: unknown, depth: number, withoutStack: boolean): SerializedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: textOf(error) };
  }
  const { message, stack, cause } = error;
  const type = error.constructor.name || error.name;
  const isShort = withoutStack || isExpected(error);
  const part = (of: unknown): SerializedError => serialize(of, depth - 1, isShort);
  return {
    type,
    message,
    ...codeOf(error),
    ...(stack === undefined || isShort ? {} : { stack }),
    ...(depth > 0 && cause !== undefined ? { cause: part(cause) } : {}),
    ...(depth > 0 && error instanceof AggregateError ? { errors: error.errors.map(part) } : {}),
  };
}

function isExpected(error: Error): boolean {
  const isFlagged = 'expected' in error && error.expected === true;
  return isFlagged || 'syscall' in error || String(codeOf(error).code).startsWith('UND_ERR_');
}

/** For anything but a text only its type: `String()` of an object runs that object's code. */
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
  // Without stacks all of it is one line.
  const separator = stack === undefined ? ', ' : '\n';
  const text = [own, ...others.map((other) => `caused by ${formatSerializedError(other)}`)].join(separator);
  // An error may quote foreign bytes, and a terminal obeys control characters.
  return text.replace(/(?!\n)\p{Cc}/gu, '');
}
