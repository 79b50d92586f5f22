import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import { eventually, freePort } from '@asyncfn/testkit';
import { type AppName, AppProcess } from './app-process.ts';
import { type FunctionEntries, type FunctionGroups, toFunctionsText } from './functions-text.ts';
import { localSettings } from './local-settings.ts';

/** Settings of a process. */
export type Env = Readonly<Record<string, string>>;

export interface StackOptions {
  /** The nats-server to run. Default: `nats-server`, looked up on the PATH. */
  readonly natsServerBin?: string;
  readonly functions: FunctionEntries;
  /** Default: none. */
  readonly groups?: FunctionGroups;
  /** How many to start. Default 1. */
  readonly gateways?: number;
  /** How many to start. Default 1. */
  readonly workers?: number;
  readonly env?: Env;
  readonly gatewayEnv?: Env;
  readonly workerEnv?: Env;
  /** More text for the configuration of nats-server. */
  readonly natsConfig?: string;
  /** Domain of the server's JetStream. Default: none. */
  readonly natsDomain?: string;
  /** When nats-server syncs to disk; `always` is before each answer. Default: nats-server's own, every two minutes. */
  readonly natsSyncInterval?: string;
  /**
   * Where logs go. `memory`: they are read line by line as they come. `file`: they are read on demand, so that reading
   * takes no CPU from a process under full load. Default `memory`.
   */
  readonly logs?: 'memory' | 'file';
}

/** All parts that a call meets, each in a process of its own. Leaving an `await using` scope ends them all. */
export interface Stack extends AsyncDisposable {
  readonly nats: NatsServer;
  /** In the order of their start, including those that have ended. */
  readonly gateways: readonly AppProcess[];
  readonly workers: readonly AppProcess[];
  /** The first of each. */
  readonly gateway: AppProcess;
  readonly worker: AppProcess;
  readonly functionsFile: string;
  /** For files of the run; removed at its end. */
  readonly folder: string;
  /** The end of the output of each process, for the report of a failure. */
  readonly tails: string;
  writeFunctions(functions: FunctionEntries): Promise<void>;
  /** Starts another one and waits until it is ready. */
  startGateway(env?: Env): Promise<AppProcess>;
  startWorker(env?: Env): Promise<AppProcess>;
  /** Starts another one, with the module `main` if given, and does not wait until it is ready. */
  spawn(app: AppName, env?: Env, main?: URL): Promise<AppProcess>;
  /** Ends nats-server; `nats.restart()` begins the next one. */
  haltNats(): Promise<void>;
  /** Deletes a stream, as an operator might by mistake. */
  deleteStream(name: string): Promise<void>;
  /** Calls in the queues: waiting and in flight. */
  queued(): Promise<number>;
  /** Waits until every call has been settled, so that nothing can be delivered again. */
  untilSettled(timeoutMs?: number): Promise<void>;
  /**
   * Waits until workers have followed every receipt to the end of its call. Resolves with how many calls are missing.
   */
  untilAudited(timeoutMs?: number): Promise<number>;
}

/** Starts nats-server, gateways and workers, and waits until all are ready. Rejects with their last lines if not. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-stack-'));
  const nats = await startNatsServer({
    port: await freePort(),
    monitor: true,
    ...(options.natsServerBin !== undefined && { bin: options.natsServerBin }),
    ...(options.natsConfig !== undefined && { config: options.natsConfig }),
    ...(options.natsDomain !== undefined && { domain: options.natsDomain }),
    ...(options.natsSyncInterval !== undefined && { syncInterval: options.natsSyncInterval }),
  });
  const stack = new ProcessStack(folder, nats, options);
  try {
    await stack.start();
  } catch (cause) {
    const { tails } = stack;
    await stack[Symbol.asyncDispose]();
    throw new Error(`the stack does not start:\n${tails}`, { cause });
  }
  return stack;
}

class ProcessStack implements Stack {
  readonly nats: NatsServer;
  readonly gateways: AppProcess[] = [];
  readonly workers: AppProcess[] = [];
  readonly functionsFile: string;
  readonly folder: string;
  readonly #options: StackOptions;
  #spawned = 0;

  constructor(folder: string, nats: NatsServer, options: StackOptions) {
    this.nats = nats;
    this.functionsFile = join(folder, 'functions.yaml');
    this.folder = folder;
    this.#options = options;
  }

  get gateway(): AppProcess {
    return first(this.gateways);
  }

  get worker(): AppProcess {
    return first(this.workers);
  }

  async start(): Promise<void> {
    const { functions, gateways = 1, workers = 1 } = this.#options;
    await this.writeFunctions(functions);
    await Promise.all([
      ...Array.from({ length: gateways }, () => this.startGateway()),
      ...Array.from({ length: workers }, () => this.startWorker()),
    ]);
  }

  async writeFunctions(functions: FunctionEntries): Promise<void> {
    await writeFile(this.functionsFile, toFunctionsText(functions, this.#options.groups));
  }

  async startGateway(env: Env = {}): Promise<AppProcess> {
    const gateway = await this.spawn('gateway', env);
    await gateway.untilReady();
    return gateway;
  }

  async startWorker(env: Env = {}): Promise<AppProcess> {
    const worker = await this.spawn('worker', env);
    await worker.untilReady();
    return worker;
  }

  async spawn(app: AppName, env: Env = {}, main?: URL): Promise<AppProcess> {
    const own = app === 'gateway' ? this.#options.gatewayEnv : this.#options.workerEnv;
    const list = app === 'gateway' ? this.gateways : this.workers;
    this.#spawned += 1;
    const settings = {
      NATS_URL: this.nats.url,
      FUNCTIONS_FILE: this.functionsFile,
      ...(this.#options.natsSyncInterval === 'always' && { NATS_SYNC: 'always' }),
      ...localSettings,
      ...this.#options.env,
      ...own,
      ...env,
    };
    const name = `${app}-${this.#spawned}`;
    const logFile = this.#options.logs === 'file' ? join(this.folder, `${name}.log`) : undefined;
    const child = await AppProcess.spawn(app, name, settings, { main, logFile });
    list.push(child);
    return child;
  }

  async haltNats(): Promise<void> {
    this.nats.signal('SIGTERM');
    await this.nats.exited;
  }

  async deleteStream(name: string): Promise<void> {
    const socket = connect(this.nats.port, '127.0.0.1');
    // NATS's protocol is text; the server closes the connection if it does not understand it.
    socket.end(`CONNECT {"verbose":false}\r\nPUB $JS.API.STREAM.DELETE.${name} 0\r\n\r\n`);
    await once(socket.resume(), 'close');
  }

  async queued(): Promise<number> {
    return countCalls(await this.#report());
  }

  async untilSettled(timeoutMs = 90_000): Promise<void> {
    await eventually(async () => (await this.queued()) === 0, { timeoutMs, message: 'calls stay in the queue' });
  }

  async untilAudited(timeoutMs = 90_000): Promise<number> {
    // Gateways publish their receipts every second.
    await sleep(1_500);
    const all = await eventually(
      async () => {
        const receipts = countReceipts(await this.#report());
        return receipts.waiting === 0 && receipts;
      },
      { timeoutMs, message: 'receipts are not followed to the end' },
    );
    return all.missing;
  }

  async #report(): Promise<JetStreamReport> {
    const response = await fetch(`${this.nats.monitorUrl}/jsz?consumers=true`);
    return (await response.json()) as JetStreamReport;
  }

  get tails(): string {
    return [...this.gateways, ...this.workers].map(({ tail }) => `${tail}\n`).join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Other tests cover how they stop; here they only have to end.
    await Promise.all([...this.gateways, ...this.workers].map((app) => app[Symbol.asyncDispose]()));
    this.nats.signal('SIGKILL');
    await this.nats.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function first(apps: readonly AppProcess[]): AppProcess {
  const [app] = apps;
  if (app === undefined) {
    throw new Error('none has been started');
  }
  return app;
}

/** The answer of `/jsz?consumers=true` (https://docs.nats.io/running-a-nats-service/nats_admin/monitoring). */
interface JetStreamReport {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamReport[] }[];
}

interface StreamReport {
  readonly name: string;
  readonly state: { readonly messages: number };
  readonly consumer_detail?: readonly ConsumerReport[];
}

interface ConsumerReport {
  readonly num_pending: number;
  readonly num_ack_pending: number;
}

function streamsOf({ account_details = [] }: JetStreamReport): StreamReport[] {
  return account_details.flatMap(({ stream_detail = [] }) => stream_detail);
}

function countCalls(report: JetStreamReport): number {
  return streamsOf(report)
    .filter(({ name }) => name.startsWith('CALLS_'))
    .reduce((sum, { state }) => sum + state.messages, 0);
}

/** Workers keep a receipt in the stream if they do not find its call. */
function countReceipts(report: JetStreamReport): { readonly waiting: number; readonly missing: number } {
  const stream = streamsOf(report).find(({ name }) => name === 'RECEIPTS');
  const held = stream?.state.messages ?? 0;
  const consumer = stream?.consumer_detail?.[0];
  const waiting = consumer === undefined ? held : consumer.num_pending + consumer.num_ack_pending;
  return { waiting, missing: held - waiting };
}
