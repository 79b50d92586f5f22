/**
 * Every way in which the queue can be set up wrongly or be lost for good. What a caller can expect in normal work
 * (a full queue, a broker that is away) is a value, not an error: see `PublishResult`.
 */
const queueErrorCodes = [
  /** The broker refused our name, password or token, or the files that name us cannot be read. */
  'authorization',
  /** No TLS connection comes about: one side does not accept the certificate of the other, or has none. */
  'tls',
  /** The nats-server is older than the features we build on. */
  'server_too_old',
  /** The nats-server runs without JetStream, or our account may not use it. */
  'jetstream_disabled',
  /** Our account at NATS allows less than is asked for. */
  'account_limit',
  /** The queue has as many consumers, and so functions, as NATS lets it have. */
  'consumer_limit',
  /** The server cannot keep as many copies as is asked for. */
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
  /** Its message says all that there is to say: loggers leave out the stack. */
  readonly expected = true;

  constructor(code: QueueErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Whether the broker has answered, and said no; otherwise it was not to be reached. */
  get refused(): boolean {
    return this.cause instanceof Error && this.cause.name === 'JetStreamApiError';
  }

  /** Whether trying again can help. A wrong set-up needs a person. */
  get temporary(): boolean {
    return this.code === 'broker';
  }
}
