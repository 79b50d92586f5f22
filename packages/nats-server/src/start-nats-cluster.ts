import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type NatsServer, type NatsServerOptions, startNatsServer } from './start-nats-server.ts';

export interface NatsClusterOptions extends Omit<NatsServerOptions, 'port' | 'storeDir' | 'name' | 'host' | 'onLine'> {
  /** How many servers. Default 3. */
  readonly size?: number;
  /** JetStream's folders, by the number of the server, kept. Default: fresh temporary ones. */
  readonly storeDirs?: readonly (string | undefined)[];
  /** Receives the log lines of all servers, each with the name of its server. Default: none. */
  readonly onLine?: (line: string, name: string) => void;
  /**
   * Port of 127.0.0.1 at which the server number `from` reaches the route port of the server number `to`: for a proxy
   * between them. Default: that port itself.
   */
  readonly link?: (from: number, to: number, port: number) => Promise<number>;
}

/** Servers that run as one. Leaving an `await using` scope stops them all. */
export interface NatsCluster extends AsyncDisposable {
  /** `nats-1`, `nats-2`, ... in this order. */
  readonly servers: readonly NatsServer[];
  /** For `NATS_URL`. */
  readonly urls: string;
  stop(): Promise<void>;
}

/**
 * Starts a cluster. The servers are ready for clients; they may still be electing a leader of JetStream.
 * @throws {NatsServerError} `start_failed` with the last log lines of the server that did not start.
 */
export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const { size = 3, link = async (_from, _to, port) => port, config = '', storeDirs = [], onLine, ...server } = options;
  const ports = await freePorts(size);
  const starts = ports.map(async (port, index) => {
    const others = ports.map((_, to) => to).filter((to) => to !== index);
    const routes = await Promise.all(others.map((to) => link(index, to, ports[to] ?? 0)));
    const text = `${config}\n${clusterBlock(port, routes)}`;
    const storeDir = storeDirs[index];
    const name = `nats-${index + 1}`;
    const own = { name, config: text, ...(storeDir !== undefined && { storeDir }) };
    return startNatsServer({ ...server, ...own, ...(onLine && { onLine: (line) => onLine(line, name) }) });
  });
  const settled = await Promise.allSettled(starts);
  const servers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((each) => each.stop()));
  };
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    servers,
    get urls() {
      return servers.map(({ url }) => url).join(',');
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Servers tell each other, and their clients, of further addresses
 * (https://docs.nats.io/running-a-nats-service/configuration/clustering). Here all servers use only the configured
 * ones, so that a cut link cannot be bypassed: no server listens at the advertised address.
 */
function clusterBlock(port: number, routes: readonly number[]): string {
  const urls = routes.map((route) => `"nats-route://127.0.0.1:${route}"`).join(', ');
  return [
    'cluster {',
    '  name: asyncfn',
    `  listen: "127.0.0.1:${port}"`,
    '  advertise: "127.0.0.1:1"',
    '  no_advertise: true',
    `  routes: [${urls}]`,
    '}',
  ].join('\n');
}

/** Below the ports that systems give to processes that ask for any, so that none takes one while its server is down. */
const [lowest, highest] = [10_000, 32_000];

/** Free a moment ago: routes have to be known before the first server runs. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) {
      ports.add(port);
    }
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return true;
}
