// HTTP to functions and receivers: undici keeps the connections, heads of responses are parsed here (ADR 30).

export { basicAuthorization } from './basic-authorization.ts';
export { type AbortWatch, CheapAbortSignal } from './cheap-abort-signal.ts';
export { exchange, type HttpOutcome, type HttpRequest } from './exchange.ts';
export { HttpAgent } from './http-agent.ts';
