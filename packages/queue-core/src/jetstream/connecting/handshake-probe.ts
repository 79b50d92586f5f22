import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { identityCheck } from './server-identity.ts';

/** Certificates and key for a TLS handshake, PEM. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Why a server ends a TLS handshake: the name of the alert, such as `unknown ca`. */
export type HandshakeAlert = string;

const limitMs = 3_000;

/**
 * Asks a server why it refuses the TLS handshake. With TLS 1.3 a client finishes its handshake before the server checks
 * the client's certificate, and the NATS client reports only a timeout.
 *
 * @param server `nats://host:port`
 * @returns the alert that the server has sent; undefined if it has sent none
 */
export async function probeHandshake(
  server: string,
  tls: TlsMaterial,
  signal: AbortSignal,
): Promise<HandshakeAlert | undefined> {
  if (signal.aborted) {
    return undefined;
  }
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connectTcp({ host, port: port === '' ? 4222 : Number(port) });
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const end = (): void => void socket.destroy();
  giveUp.addEventListener('abort', end);
  try {
    const info = await readInfo(socket);
    if (info.tls_required !== true && info.tls_available !== true) {
      return undefined;
    }
    if (info.tls_verify === true && tls.cert === undefined) {
      return 'certificate required';
    }
    const encrypted = connectTls({
      socket,
      ...given(tls),
      ...(isIP(host) === 0 && { servername: host }),
      checkServerIdentity: identityCheck([server]),
    });
    return await readAlert(encrypted);
  } catch {
    return undefined; // no server, or none that speaks NATS: the client has said so
  } finally {
    giveUp.removeEventListener('abort', end);
    socket.destroy();
  }
}

/** The name in the code of an OpenSSL error; undefined if it is not an alert of the other side. */
export function alertOf(error: unknown): HandshakeAlert | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^ERR_SSL_.*ALERT_(\w+)$/.exec(code)?.[1]?.toLowerCase().replaceAll('_', ' ');
}

interface ServerInfo {
  readonly tls_required?: boolean;
  readonly tls_available?: boolean;
  readonly tls_verify?: boolean;
}

/** The first line that a nats-server sends. Rejects if it sends something else, or nothing. */
function readInfo(socket: Socket): Promise<ServerInfo> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.includes('\r\n')) {
        socket.pause().off('data', read);
        resolve(parseInfo(text));
      }
    };
    socket.on('data', read);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}

function parseInfo(text: string): ServerInfo {
  return JSON.parse(/^INFO (.*)\r\n/.exec(text)?.[1] ?? '{}') as ServerInfo;
}

/** A server that is content waits for our CONNECT: it sends nothing until the probe's time is up. */
function readAlert(socket: TLSSocket): Promise<HandshakeAlert | undefined> {
  return new Promise((resolve) => {
    socket.once('error', (error) => resolve(alertOf(error)));
    socket.once('close', () => resolve(undefined));
    socket.resume();
  });
}

function given({ ca, cert, key }: TlsMaterial): TlsMaterial {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}
