import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '@asyncfn/service-kit';
import type { GatewayMetrics } from '../../metrics.ts';
import { problemHeaders, problemMediaType, problems, type Refusal, refusal, renderProblem } from '../../problem.ts';
import { unknownTransferCoding } from '../http-rules.ts';

/** An error of node or its parser about data that it could not read. */
interface ParseError extends NodeJS.ErrnoException {
  readonly reason?: string;
}

/**
 * Answers data that node could not parse, and requests that did not arrive in time, then closes the connection.
 *
 * @returns a listener for `clientError` of an HTTP server
 */
export function createClientErrorHandler(logger: Logger, metrics: GatewayMetrics) {
  const refusedSockets = new WeakSet<Socket>();
  const answer = (error: ParseError, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const response = responseUnderWay(socket);
    if (response?.headersSent && !response.req.complete) {
      // The error is in the body of a request that was already refused for its headers.
      response.once('close', () => socket.end());
      return;
    }
    if (owesAnswer(response)) {
      // Answers keep their order: otherwise the client would take this one for that of an earlier request (RFC 9112,
      // 9.3.2).
      response.once('close', () => setImmediate(answer, error, socket));
      return;
    }
    const refused = toRefusal(error);
    const level = error.code === clientGone ? 'debug' : 'info';
    logger[level]({ code: refused.code, reason: error.code }, 'request refused');
    if (response === undefined) {
      metrics.requestEnded('other', 'other', problems[refused.code].status, 0);
    }
    socket.end(rawAnswer(refused));
  };
  return (error: ParseError, socket: Socket): void => {
    // The rest of the data is not a request, and each piece of it would cause another error.
    if (!refusedSockets.has(socket)) {
      refusedSockets.add(socket);
      answer(error, socket);
    }
  };
}

/**
 * Refuses CONNECT, which requests a tunnel: the gateway is not a proxy.
 *
 * @returns a listener for `connect` of an HTTP server
 */
export function createTunnelHandler(logger: Logger, metrics: GatewayMetrics) {
  return (_: IncomingMessage, socket: Duplex): void => {
    logger.info({ code: noTunnel.code }, 'request refused');
    metrics.requestEnded('CONNECT', 'other', problems[noTunnel.code].status, 0);
    // Later errors of the socket do not matter.
    socket.on('error', () => undefined);
    socket.end(rawAnswer(noTunnel));
  };
}

const noTunnel = refusal('method_not_allowed', 'The gateway is not a proxy.');

/** The code of node's parser for a connection that ends in the middle of a request. */
const clientGone = 'HPE_INVALID_EOF_STATE';

const refusals = new Map([
  ['HPE_HEADER_OVERFLOW', refusal('headers_too_large', 'Request line and headers together are too large.')],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', refusal('body_too_large', 'The chunk extensions are too large.')],
  ['ERR_HTTP_REQUEST_TIMEOUT', refusal('request_timeout', 'The request did not arrive completely in time.')],
]);

/** The parser's reason for a coding after chunked. The same code also means that a length is present. */
const codingBehindChunked = 'Invalid `Transfer-Encoding` header value';

function toRefusal({ code = '', reason }: ParseError): Refusal {
  return reason === codingBehindChunked ? unknownTransferCoding : (refusals.get(code) ?? malformed);
}

const malformed = refusal('malformed_request', 'The request could not be parsed.');

/** Node uses the same field in its own handler. */
function responseUnderWay(socket: Socket & { _httpMessage?: ServerResponse | null }): ServerResponse | undefined {
  return socket._httpMessage ?? undefined;
}

/** Whether a complete request still waits for its answer, so that the error is in the next one. */
function owesAnswer(response: ServerResponse | undefined): response is ServerResponse {
  return response !== undefined && (response.headersSent || response.req.complete);
}

function rawAnswer(refused: Refusal): string {
  const body = renderProblem(refused);
  const { status, title } = problems[refused.code];
  return [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries({ ...problemHeaders(refused), Connection: 'close' }).map((header) => header.join(': ')),
    '',
    body,
  ].join('\r\n');
}
