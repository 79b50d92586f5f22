import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, latin1. */
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are, for requests that HTTP clients refuse to send, and reads the answer until the end. */
export async function rawExchange(url: string, request: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(request, 'latin1');
  let received = '';
  for await (const chunk of socket) {
    received += (chunk as Buffer).toString('latin1');
    if (isComplete(received)) {
      break;
    }
  }
  const [head = '', body = ''] = split(received);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head, body };
}

/** A POST without a body. `target` and `headers` stand in the request as they are. */
export function rawPost(target: string, headers: readonly string[] = []): string {
  return [`POST ${target} HTTP/1.1`, 'Host: localhost', ...headers, 'Content-Length: 0', '', ''].join('\r\n');
}

function isComplete(received: string): boolean {
  const [head, body] = split(received);
  const length = /^content-length: *(\d+)/im.exec(head ?? '')?.[1];
  return body !== undefined && length !== undefined && body.length >= Number(length);
}

function split(received: string): [string, string] | [] {
  const end = received.indexOf('\r\n\r\n');
  return end < 0 ? [] : [received.slice(0, end), received.slice(end + 4)];
}
