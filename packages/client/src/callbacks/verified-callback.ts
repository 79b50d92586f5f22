/** Reads a header by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined;

/** A callback whose signatures are valid. */
export class VerifiedCallback {
  /** `webhook-id`: the id of the call, or of the batch. The same for all deliveries of a callback. */
  readonly id: string;
  /** When this delivery was sent. */
  readonly sentAt: Date;
  /** The response of the function, byte for byte; the state of the batch as JSON. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** The call. Undefined for a batch, and for a webhook that is not from asyncfn. */
  readonly callId: string | undefined;
  /** The function that was called, `NAME` or `NAME.NAMESPACE`. Undefined as `callId`. */
  readonly functionName: string | undefined;
  /**
   * The function's status; 503 if it could not be reached, 504 at its deadline or if the call expired, 502 if its response was too
   * large. Undefined as `callId`.
   */
  readonly functionStatus: number | undefined;
  /** The batch that has ended. Undefined for a call. */
  readonly batchId: string | undefined;
  /** What else the headers say of the call. No signature covers it. */
  readonly unsigned: UnsignedDetails;

  /** @param isOfCall whether a signature covers the headers about the call */
  constructor(read: HeaderReader, body: Uint8Array<ArrayBuffer>, isOfCall: boolean) {
    const signed = (name: string): string | undefined => (isOfCall ? read(name) || undefined : undefined);
    this.id = read('webhook-id') ?? '';
    this.sentAt = new Date(Number(read('webhook-timestamp')) * 1000);
    this.body = body;
    this.callId = signed('x-call-id');
    this.functionName = signed('x-function-name');
    this.functionStatus = toNumber(signed('x-function-status'));
    // The id is signed, and that of a batch is the only one of its callback.
    this.batchId = isOfCall && this.callId === undefined && read('x-batch-id') === this.id ? this.id : undefined;
    this.unsigned = toDetails(read);
  }

  /** Whether the call has succeeded: its function's status is 200 to 399. False for a batch: look at its counts. */
  get ok(): boolean {
    const { functionStatus: status } = this;
    return status !== undefined && status >= 200 && status < 400;
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

/** Headers of a callback that no signature covers; undefined if they are missing. */
export interface UnsignedDetails {
  readonly contentType: string | undefined;
  /** How long the last attempt took. */
  readonly durationSeconds: number | undefined;
  /** When the call was accepted. */
  readonly acceptedAt: Date | undefined;
  /** Retries made, and allowed. */
  readonly retries: number | undefined;
  readonly maxRetries: number | undefined;
  /** How often the call was replayed from the dead letters. */
  readonly replays: number | undefined;
  /** Hops from the first call of the chain, plus one. */
  readonly chainDepth: number | undefined;
  /** The first call of the chain. */
  readonly rootCallId: string | undefined;
  readonly traceparent: string | undefined;
}

function toDetails(read: HeaderReader): UnsignedDetails {
  const startNanoseconds = toNumber(read('x-start-time'));
  return {
    contentType: read('content-type'),
    durationSeconds: toNumber(read('x-duration-seconds')),
    acceptedAt: startNanoseconds === undefined ? undefined : new Date(startNanoseconds / 1_000_000),
    retries: toNumber(read('x-retry')),
    maxRetries: toNumber(read('x-retry-max')),
    replays: toNumber(read('x-replays')),
    chainDepth: toNumber(read('x-chain-depth')),
    rootCallId: read('x-root-call-id'),
    traceparent: read('traceparent'),
  };
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}
