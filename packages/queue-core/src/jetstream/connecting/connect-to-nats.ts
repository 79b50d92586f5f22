import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  type TlsOptions,
} from '@nats-io/transport-node';
import { QueueError } from '../../errors.ts';
import type { ClientSettings } from './client-settings.ts';
import { toConnectFailure } from './connect-failure.ts';
import { alertOf, probeHandshake, type TlsMaterial } from './handshake-probe.ts';
import { identityCheck } from './server-identity.ts';
import { readSettingsFiles, type SettingsFiles } from './settings-files.ts';

export interface NatsAddress extends ClientSettings {
  /**
   * `nats://host:port` or `tls://host:port`; tried in turn, and again when the connection is lost. With a `tls:` among
   * them no connection is made without TLS.
   */
  readonly servers: readonly string[];
  /** Shown by the server in its connection list. */
  readonly name: string;
}

/**
 * Connects to one of the servers, each tried once. Throws `QueueError`: `authorization` or `tls` if one of them says
 * that our settings are wrong, `broker` if trying again may help, or the signal has aborted.
 */
export async function connectToNats(address: NatsAddress, signal: AbortSignal): Promise<NatsConnection> {
  const files = await readSettingsFiles(address);
  const [problem] = files.problems;
  if (problem !== undefined) {
    throw new QueueError('authorization', `${problem.name} ${problem.problem}`);
  }
  const options = toClientOptions(address, files);
  const failures: QueueError[] = [];
  for (const server of shuffled(address.servers)) {
    try {
      return withAllServers(await connect({ ...options, servers: [server] }), address.servers);
    } catch (cause) {
      failures.push(await explain(server, cause, files.tls, signal));
    }
    if (signal.aborted) {
      break;
    }
  }
  throw worstOf(failures);
}

/** Wrong settings are more informative than another server that is away. */
function worstOf(failures: readonly QueueError[]): QueueError {
  const [first = new QueueError('broker', 'NATS_URL names no server')] = failures;
  return failures.find(({ temporary }) => !temporary) ?? first;
}

/** If the server requires a certificate, the client reports a timeout or a failed handshake. */
async function explain(server: string, cause: unknown, tls: TlsMaterial, signal: AbortSignal): Promise<QueueError> {
  const isVague = cause instanceof errors.TimeoutError || alertOf(cause) === 'handshake failure';
  return toConnectFailure(server, cause, isVague ? await probeHandshake(server, tls, signal) : undefined);
}

/**
 * A connection that was made to one server may come back at any of them, and at those that the cluster has told of.
 * The client tries them in this order, so the server that was lost or left is the last.
 */
function withAllServers(connection: NatsConnection, servers: readonly string[]): NatsConnection {
  if (servers.length > 1) {
    const current = connection.getServer();
    const others = [...connection.getServers().map(({ listen }) => listen), ...servers.map(toListen)];
    connection.setServers([...shuffled([...new Set(others)].filter((listen) => listen !== current)), current]);
  }
  return connection;
}

/** As the client spells servers. */
function toListen(server: string): string {
  const { host, port } = new URL(server);
  return port === '' ? `${host}:4222` : host;
}

function toClientOptions(address: NatsAddress, files: SettingsFiles): ConnectionOptions {
  const { servers, name, user, password, token, inboxPrefix } = address;
  const tls = toTlsOptions(address, servers);
  return {
    name,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
    ...(files.credentials !== undefined && { authenticator: credsAuthenticator(files.credentials) }),
    ...(tls !== undefined && { tls }),
    timeout: 5_000,
    // The client would also shuffle the server that it has just left to the front.
    noRandomize: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // Two pings without an answer: a server that hangs is known to be away after 15 s.
    pingInterval: 5_000,
    maxPingOut: 2,
    // Stack traces of every pending request cost more than they tell.
    noAsyncTraces: true,
  };
}

/**
 * The client goes by these alone, not by the scheme of a URL. It reads the files on each connection: they get renewed.
 */
function toTlsOptions(
  { tlsCaFile, tlsCertFile, tlsKeyFile }: ClientSettings,
  servers: readonly string[],
): TlsOptions | undefined {
  const files = {
    ...(tlsCaFile !== undefined && { caFile: tlsCaFile }),
    ...(tlsCertFile !== undefined && { certFile: tlsCertFile }),
    ...(tlsKeyFile !== undefined && { keyFile: tlsKeyFile }),
  };
  const isWanted = Object.keys(files).length > 0 || servers.some((server) => server.startsWith('tls:'));
  // The client passes on whatever node:tls takes.
  return isWanted ? ({ ...files, checkServerIdentity: identityCheck(servers) } as TlsOptions) : undefined;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
