import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** A port that is taken or not permitted. The message names the variable to set. */
export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code = 'port_unavailable';

  /** Any other error is returned unchanged. */
  static from(error: unknown, wanted: WantedPort): unknown {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'may not be used by this user' : undefined;
    if (reason === undefined) {
      return error;
    }
    const advice = `Set ${wanted.variable} to another port, or to 0 for a free one.`;
    return new PortError(`port ${wanted.port} (${wanted.what}) ${reason}. ${advice}`, { cause: error });
  }
}

export interface WantedPort {
  readonly port: number;
  readonly host: string;
  /** The variable that changes it. */
  readonly variable: string;
  /** The part that needs it. */
  readonly what: string;
}

/**
 * Opens all ports for a moment, so that a port that is taken, or requested twice, is reported before anything runs.
 * @throws {PortError} for the first port that is not available.
 */
export async function checkPorts(wanted: readonly WantedPort[]): Promise<void> {
  const holders: Server[] = [];
  try {
    for (const one of wanted) {
      holders.push(await holdPort(one));
    }
  } finally {
    for (const holder of holders) {
      holder.close();
    }
  }
}

/** The host in a URL: an IPv6 address in brackets, and "any address" as one that clients can use. */
export function formatHost(host: string): string {
  if (host === '0.0.0.0') {
    return '127.0.0.1';
  }
  if (host === '::') {
    return '[::1]';
  }
  return host.includes(':') ? `[${host}]` : host;
}

/** @throws {PortError} if the port is not available. */
export async function listenOn(server: Server, wanted: WantedPort): Promise<void> {
  server.listen(wanted.port, wanted.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw PortError.from(error, wanted);
  }
}

async function holdPort(wanted: WantedPort): Promise<Server> {
  const server = createServer();
  await listenOn(server, wanted);
  return server;
}
