// HTTP to functions and receivers: undici keeps the connections, this room parses the heads of responses (ADR 30).

export { basicAuthorization } from './basic-authorization.ts';
export { type AbortWatch, CheapAbortSignal } from './cheap-abort-signal.ts';
export { exchange, type HttpOutcome, type HttpRequest, type StreamedBody } from './exchange.ts';
export { HttpAgent } from './http-agent.ts';
export type { LargeResponses, ResponseFailure, ResponseSink } from './large-responses.ts';
