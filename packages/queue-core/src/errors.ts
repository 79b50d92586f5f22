/**
 * The ways in which the queue can be set up wrongly or be lost for good. What a caller can expect in normal operation
 * (a full queue, a broker that is away) is a value, not an error: see `PublishResult`.
 */
const queueErrorCodes = [
  /** The broker refused our name, password or token, or the files that name us cannot be read. */
  'authorization',
  /** The TLS handshake fails: one side does not accept the certificate of the other, or has none. */
  'tls',
  /** The nats-server is older than the features we build on. */
  'server_too_old',
  /** The nats-server runs without JetStream, or our account may not use it. */
  'jetstream_disabled',
  /** Our account at NATS allows less than we need. */
  'account_limit',
  /** The queue has as many consumers, and so functions, as NATS lets it have. */
  'consumer_limit',
  /** The server cannot keep as many copies as configured. */
  'replicas',
  /** Our user at NATS lacks a permission. */
  'permission',
  /** A stream of this name exists with settings that cannot be changed into ours. */
  'stream_mismatch',
  /** The connection was closed for good. */
  'connection_closed',
  /** Anything else that NATS or JetStream answered. */
  'broker',
] as const;

export type QueueErrorCode = (typeof queueErrorCodes)[number];

/** An error of the queue with a stable `code`, for logs and for the decision whether to try again. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: QueueErrorCode;
  /** The message says everything: loggers omit the stack. */
  readonly expected = true;

  constructor(code: QueueErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Whether the broker has answered with a refusal; if not, it was unreachable. */
  get refused(): boolean {
    return this.cause instanceof Error && this.cause.name === 'JetStreamApiError';
  }

  /** Whether trying again can help. A wrong set-up needs an operator. */
  get temporary(): boolean {
    return this.code === 'broker';
  }
}
