import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsCluster, startNatsServer } from '@asyncfn/nats-server';
import { freePort, startTcpProxy, type TcpProxy } from '@asyncfn/testkit';
import { type AppName, AppProcess } from './app-process.ts';
import { type FunctionEntries, toFunctionsText } from './functions-text.ts';
import { localSettings } from './local-settings.ts';
import type { Env } from './stack.ts';

export interface FleetOptions {
  /** The nats-server to run. Default: `nats-server`, looked up on the PATH. */
  readonly natsServerBin?: string;
  /** nats-servers: 1, or a cluster of 3 or 5. Default 3. */
  readonly nodes?: number;
  /** Default 2. */
  readonly gateways?: number;
  /** Default 2. */
  readonly workers?: number;
  readonly functions: FunctionEntries;
  /**
   * Settings of every app; `{seat}` in them is replaced by the name of the process. `STREAM_REPLICAS` is the number of
   * nodes, three at most, if it is not set here.
   */
  readonly env?: Env;
  readonly gatewayEnv?: Env;
  readonly workerEnv?: Env;
  /** More text for the configuration of each nats-server. */
  readonly natsConfig?: string;
  /** JetStream's folders, by the number of the server, kept. Default: fresh temporary ones. */
  readonly storeDirs?: readonly (string | undefined)[];
  /** Modules to run instead of the apps' own. */
  readonly mains?: { readonly [App in AppName]?: URL };
  /**
   * Whether a line of a process's output is kept, by the name of the process: a long run has too many of them. Default:
   * all.
   */
  readonly keepLine?: (line: string, seat: string) => boolean;
  /** Receives the log lines of the nats-servers, with the names of their nodes. */
  readonly onServerLine?: (line: string, node: string) => void;
}

/** A nats-server with the connections that lead to it. */
export interface Node {
  readonly name: string;
  readonly server: NatsServer;
  /** From apps and between nodes: if they are cut or held, it is alone. */
  readonly lines: readonly TcpProxy[];
  /** Those between nodes: without them apps reach a node that has lost the others. */
  readonly links: readonly TcpProxy[];
}

/** A place for a process: after one has ended, another one follows with the same connections to the nodes. */
export interface Seat {
  readonly name: string;
  readonly app: AppName;
  readonly process: AppProcess;
  /** To each node. */
  readonly lines: readonly TcpProxy[];
  /** The configuration of the process. */
  readonly env: Env;
  /**
   * Starts the next process. Resolves when it runs, not when it is ready.
   *
   * @param main the module to run from now on, for example of another version. Default: the same as before.
   */
  start(main?: URL): Promise<AppProcess>;
}

/**
 * Gateways, workers and a cluster of nats-servers as processes, with a line between any two that can be cut, held or
 * slowed. Leaving an `await using` scope ends them all.
 */
export interface Fleet extends AsyncDisposable {
  readonly nodes: readonly Node[];
  readonly gateways: readonly Seat[];
  readonly workers: readonly Seat[];
  /** The nodes' own addresses, which no fault affects. */
  readonly natsUrls: readonly string[];
  /** For files of the run; removed at its end. */
  readonly folder: string;
  readonly tails: string;
  untilReady(timeoutMs?: number): Promise<void>;
  /** Repairs every connection. */
  heal(): void;
}

/** Starts all, and waits until all are ready. Rejects with their last lines if not. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new ProcessFleet(options, await mkdtemp(join(tmpdir(), 'asyncfn-fleet-')));
  try {
    await fleet.start();
  } catch (cause) {
    await fleet[Symbol.asyncDispose]();
    throw new Error(`the fleet does not start:\n${fleet.tails}`, { cause });
  }
  return fleet;
}

const readyMs = 90_000;

class ProcessFleet implements Fleet {
  readonly folder: string;
  readonly nodes: { name: string; server: NatsServer; lines: TcpProxy[]; links: TcpProxy[] }[] = [];
  readonly gateways: ProcessSeat[] = [];
  readonly workers: ProcessSeat[] = [];
  readonly #options: FleetOptions;
  /** Between nodes, by the numbers of both. */
  readonly #links: { from: number; to: number; line: TcpProxy }[] = [];

  constructor(options: FleetOptions, folder: string) {
    this.#options = options;
    this.folder = folder;
  }

  get natsUrls(): string[] {
    return this.nodes.map(({ server }) => server.url);
  }

  get tails(): string {
    return this.#seats.map(({ tail }) => `${tail}\n`).join('');
  }

  get #seats(): ProcessSeat[] {
    return [...this.gateways, ...this.workers];
  }

  async start(): Promise<void> {
    const { gateways = 2, workers = 2 } = this.#options;
    await this.#startNodes();
    await Promise.all([
      ...Array.from({ length: gateways }, (_, index) => this.#open('gateway', `gateway-${index + 1}`)),
      ...Array.from({ length: workers }, (_, index) => this.#open('worker', `worker-${index + 1}`)),
    ]);
    await this.untilReady();
  }

  async untilReady(timeoutMs = readyMs): Promise<void> {
    await Promise.all(this.#seats.map(({ process }) => process.untilReady(timeoutMs)));
  }

  heal(): void {
    for (const { lines } of [...this.nodes, ...this.#seats]) {
      for (const line of lines) {
        line.heal();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat[Symbol.asyncDispose]()));
    for (const { server } of this.nodes) {
      server.signal('SIGKILL');
    }
    await Promise.all(this.nodes.map(({ server }) => server.stop()));
    await Promise.all(this.#links.map(({ line }) => line.close()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #startNodes(): Promise<void> {
    const { natsServerBin: bin, natsConfig: config, nodes = 3, storeDirs = [] } = this.#options;
    const { onServerLine = () => {} } = this.#options;
    const [storeDir] = storeDirs;
    const server = { monitor: true, ...(bin !== undefined && { bin }), ...(config !== undefined && { config }) };
    const link = async (from: number, to: number, port: number): Promise<number> => {
      const line = await startTcpProxy({ port });
      this.#links.push({ from, to, line });
      return line.port;
    };
    const servers =
      nodes === 1
        ? [
            await startNatsServer({
              ...server,
              port: await freePort(),
              onLine: (line) => onServerLine(line, 'nats-1'),
              ...(storeDir !== undefined && { storeDir }),
            }),
          ]
        : (await startNatsCluster({ ...server, size: nodes, storeDirs, onLine: onServerLine, link })).servers;
    for (const [index, each] of servers.entries()) {
      const touching = this.#links.filter(({ from, to }) => from === index || to === index);
      const links = touching.map(({ line }) => line);
      this.nodes.push({ name: `nats-${index + 1}`, server: each, lines: [...links], links });
    }
  }

  async #open(app: AppName, name: string): Promise<void> {
    const functionsFile = join(this.folder, `${name}.yaml`);
    await writeFile(functionsFile, toFunctionsText(this.#options.functions));
    const lines = await Promise.all(
      this.nodes.map(async (node) => {
        const line = await startTcpProxy({ port: node.server.port });
        node.lines.push(line);
        return line;
      }),
    );
    const { env, mains, keepLine } = this.#options;
    const own = app === 'gateway' ? this.#options.gatewayEnv : this.#options.workerEnv;
    const wanted: Env = { ...env, ...own };
    const named = Object.entries(wanted).map(([key, value]) => [key, value.replaceAll('{seat}', name)] as const);
    const settings = {
      NATS_URL: lines.map((line) => `nats://${line.host}:${line.port}`).join(','),
      STREAM_REPLICAS: String(Math.min(3, this.nodes.length)),
      FUNCTIONS_FILE: functionsFile,
      ...localSettings,
      ...Object.fromEntries(named),
    };
    const ofSeat = keepLine && ((line: string) => keepLine(line, name));
    let running = mains?.[app];
    const spawn = (main = running): Promise<AppProcess> => {
      running = main;
      return AppProcess.spawn(app, name, settings, { main, keepLine: ofSeat });
    };
    const seat = new ProcessSeat({ app, name, lines, env: settings }, spawn, await spawn());
    (app === 'gateway' ? this.gateways : this.workers).push(seat);
  }
}

class ProcessSeat implements Seat, AsyncDisposable {
  readonly app: AppName;
  readonly name: string;
  readonly lines: readonly TcpProxy[];
  readonly env: Env;
  readonly #spawn: (main?: URL) => Promise<AppProcess>;
  #process: AppProcess;

  constructor(
    { app, name, lines, env }: Pick<Seat, 'app' | 'name' | 'lines' | 'env'>,
    spawn: (main?: URL) => Promise<AppProcess>,
    process: AppProcess,
  ) {
    this.app = app;
    this.name = name;
    this.lines = lines;
    this.env = env;
    this.#spawn = spawn;
    this.#process = process;
  }

  get process(): AppProcess {
    return this.#process;
  }

  get tail(): string {
    return this.#process.tail;
  }

  async start(main?: URL): Promise<AppProcess> {
    this.#process = await this.#spawn(main);
    return this.#process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await Promise.all(this.lines.map((line) => line.close()));
  }
}
