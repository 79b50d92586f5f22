import { fileURLToPath } from 'node:url';
import { type GuardedOptions, type GuardedProcess, type ProcessExit, spawnGuarded } from '@asyncfn/guarded-process';
import { eventually, noteSpawned } from '@asyncfn/testkit';
import { LineFile } from './line-file.ts';

export type AppName = 'gateway' | 'worker';

/** The main module of an app as it is shipped. It must be built. */
export function builtMain(app: AppName): URL {
  return new URL(`../../../apps/${app}/dist/main.js`, import.meta.url);
}

/** One line of a process's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** An answer of the operations server. */
export interface OpsAnswer {
  readonly status: number;
  readonly body: string;
  readonly tookMs: number;
}

const tailLines = 40;
/** In milliseconds, long enough for a busy machine. */
const patienceMs = 90_000;

export interface SpawnOptions {
  /** The module to run instead of the app's own. */
  readonly main?: URL | undefined;
  /**
   * Where its log goes. Default: it comes here line by line. A process under full load would notice that, because
   * reading takes time of the same processors.
   */
  readonly logFile?: string | undefined;
  /** Whether a line that comes here is kept: a long run has too many of them. Default: all. */
  readonly keepLine?: ((line: string) => boolean) | undefined;
}

/** The gateway or the worker as it is shipped: the built main module in a process of its own. */
export class AppProcess implements AsyncDisposable {
  readonly name: string;
  readonly stderr: string[] = [];
  readonly #stdout: string[] = [];
  readonly #logs: LogLine[] = [];
  readonly #child: GuardedProcess;
  readonly #logFile: LineFile | undefined;
  readonly #ports: Map<string, number>;
  #read = 0;
  #exit: ProcessExit | undefined;

  private constructor(name: string, child: GuardedProcess, output: Output) {
    this.name = name;
    this.#child = child;
    this.#stdout = output.stdout;
    this.stderr = output.stderr;
    this.#logFile = output.logFile;
    this.#ports = output.ports;
    noteSpawned(this);
    void child.exited.then((exit) => {
      this.#exit = exit;
    });
  }

  /** Resolves when the process runs; `untilReady()` tells whether it can do its work. */
  static async spawn(
    app: AppName,
    name: string,
    env: NodeJS.ProcessEnv,
    { main = builtMain(app), logFile, keepLine = () => true }: SpawnOptions = {},
  ): Promise<AppProcess> {
    const output = { stdout: [] as string[], stderr: [] as string[], ports: chosenPorts(env) };
    const command = [process.execPath, '--enable-source-maps', fileURLToPath(main)];
    const onLine = (line: string, stream: 'stdout' | 'stderr'): void => {
      if (keepLine(line)) {
        output[stream].push(line);
      }
    };
    const options: GuardedOptions = { env, onLine };
    if (logFile === undefined) {
      return new AppProcess(name, await spawnGuarded(process.execPath, command.slice(1), options), output);
    }
    // The shell replaces itself by the process, which keeps its pid.
    const child = await spawnGuarded('/bin/sh', ['-c', 'exec "$@" >"$0"', logFile, ...command], options);
    return new AppProcess(name, child, { ...output, logFile: new LineFile(logFile) });
  }

  get pid(): number {
    return this.#child.pid;
  }

  get exited(): Promise<ProcessExit> {
    return this.#child.exited;
  }

  /** All log lines so far. They are parsed on demand: a run under load writes a hundred thousand. */
  get logs(): readonly LogLine[] {
    this.#readFile();
    for (; this.#read < this.#stdout.length; this.#read++) {
      this.#logs.push(JSON.parse(this.#stdout[this.#read] ?? ''));
    }
    return this.#logs;
  }

  /** All lines that it has written. */
  get output(): readonly string[] {
    this.#readFile();
    return [...this.#stdout, ...this.stderr];
  }

  /** The end of its output, for the report of a failed test. */
  get tail(): string {
    this.#readFile();
    const lines = [...this.#stdout.slice(-tailLines), ...this.stderr.slice(-tailLines)];
    return [`--- ${this.name} (pid ${this.pid}, ${describe(this.#exit)})`, ...lines].join('\n');
  }

  /** Base URL of the gateway's API. */
  get url(): string {
    return `http://127.0.0.1:${this.#portOf('api')}`;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.signal(signal);
  }

  /** SIGSTOP; resolves when it has stopped, until `kill('SIGCONT')`. */
  pause(): Promise<void> {
    return this.#child.pause();
  }

  /** SIGTERM; resolves with how the process ended. Rejects if it does not end in time. */
  async stop(timeoutMs = patienceMs): Promise<ProcessExit> {
    this.kill('SIGTERM');
    return await this.ended(timeoutMs);
  }

  /** Resolves with how the process ended. Rejects if it does not end in time. */
  async ended(timeoutMs = patienceMs): Promise<ProcessExit> {
    return await eventually(() => this.#exit, { timeoutMs, message: `${this.name} does not end` });
  }

  /** Waits for a log line with this sentence and, if given, these fields. */
  async untilLogged(msg: string, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    return await eventually(() => this.logged(msg).find(matches), {
      timeoutMs: patienceMs,
      message: `${this.name} does not log "${msg}"`,
    });
  }

  logged(msg: string): LogLine[] {
    return this.logs.filter((line) => line.msg === msg);
  }

  async untilListening(): Promise<void> {
    const servers = this.name.startsWith('gateway') ? 2 : 1;
    const areKnown = (): boolean => this.#ports.size >= servers || this.logged('listening').length >= servers;
    await eventually(() => this.#exit !== undefined || areKnown(), {
      timeoutMs: patienceMs,
      message: `${this.name} does not listen`,
    });
    if (this.#exit !== undefined) {
      throw new Error(this.tail);
    }
  }

  async untilReady(timeoutMs = patienceMs): Promise<void> {
    await this.untilListening();
    await eventually(async () => (await this.ops('/readyz')).status === 200, {
      timeoutMs,
      message: `${this.name} does not become ready`,
    });
  }

  /** Host and port of the operations server. */
  get opsAddress(): string {
    return `127.0.0.1:${this.#portOf('ops')}`;
  }

  async ops(path: '/readyz' | '/livez' | '/metrics'): Promise<OpsAnswer> {
    const startedAt = performance.now();
    const response = await fetch(`http://${this.opsAddress}${path}`);
    const body = await response.text();
    return { status: response.status, body, tookMs: performance.now() - startedAt };
  }

  /** The sum of a metric over all its labels; 0 if it has not been counted yet. */
  async metric(name: string): Promise<number> {
    const { body } = await this.ops('/metrics');
    const samples = body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL');
    await this.exited;
  }

  #readFile(): void {
    for (const line of this.#logFile?.read() ?? []) {
      this.#stdout.push(line);
    }
  }

  /** Remembered, so that a log of a hundred thousand lines is read once. */
  #portOf(server: 'api' | 'ops'): number {
    const known = this.#ports.get(server);
    if (known !== undefined) {
      return known;
    }
    const line = this.logged('listening').find((each) => each['server'] === server);
    if (line === undefined) {
      throw new Error(`${this.name} does not listen as ${server} yet`);
    }
    const port = Number(line['port']);
    this.#ports.set(server, port);
    return port;
  }
}

interface Output {
  readonly stdout: string[];
  readonly stderr: string[];
  readonly logFile?: LineFile;
  /** By server, as far as they are known. */
  readonly ports: Map<string, number>;
}

/** The ports in its settings: a process whose log is silent does not say which ones it has picked. */
function chosenPorts({ PORT: api, OPS_PORT: ops }: NodeJS.ProcessEnv): Map<string, number> {
  const all = Object.entries({ api: Number(api ?? 0), ops: Number(ops ?? 0) });
  return new Map(all.filter(([, port]) => port !== 0));
}

function describe(exit: ProcessExit | undefined): string {
  return exit === undefined ? 'running' : `ended with ${exit.signal ?? `code ${exit.code}`}`;
}
