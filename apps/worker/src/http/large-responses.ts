import type { BodyObject, Call, HeaderList } from '@asyncfn/queue-core';

/** Why a response could not be stored. */
export interface ResponseFailure {
  /** `not_stored`: not the fault of the server that has sent it, and passes. `too_large`: no broker of this size takes it. */
  readonly kind: 'not_stored' | 'bad_response' | 'too_large';
  readonly code: string;
  readonly error: Error;
}

/** Takes one response while it is read. */
export interface ResponseSink {
  /** Takes a piece. A promise: the next one has to wait for it. It never rejects: see `failure`. */
  write(piece: Uint8Array): Promise<void> | undefined;
  /** Undefined so far. */
  readonly failure: ResponseFailure | undefined;
  /** Ends it after the last piece. Never rejects. */
  finish(): Promise<BodyObject | ResponseFailure>;
  /** Removes what is stored of it. */
  abort(): void;
}

/** Takes the responses that are too large for the memory. */
export interface LargeResponses {
  /** Larger bodies are passed on. */
  readonly inlineBytes: number;
  /** Most bytes of one that are in memory. */
  readonly bufferBytes: number;
  open(call: Call, headers: HeaderList): ResponseSink;
}
