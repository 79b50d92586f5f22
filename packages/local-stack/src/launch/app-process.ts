import { type GuardedProcess, type ProcessExit, spawnGuarded } from '@asyncfn/guarded-process';
import { ConfigError, sleep } from '@asyncfn/service-kit';
import { parseLogLine } from '../terminal/index.ts';

/** One of our processes has ended without being stopped. */
export class ProcessEndedError extends Error {
  override readonly name = 'ProcessEndedError';
  readonly code = 'process_ended';

  constructor(processName: string, { code, signal }: ProcessExit) {
    super(`${processName} has ended by itself, ${signal === null ? `with exit code ${code}` : `killed by ${signal}`}`);
  }
}

/** EX_CONFIG of sysexits(3): the exit code of a process that has reported a mistake in its configuration. */
const EXIT_CONFIG = 78;

/** Why a process has ended without being stopped. */
export function toEndError(processName: string, exit: ProcessExit): Error {
  return exit.code === EXIT_CONFIG
    ? new ConfigError([{ name: processName, problem: 'cannot run with this configuration, as it says above' }])
    : new ProcessEndedError(processName, exit);
}

export interface AppProcessOptions {
  /** Path of Node. */
  node: string;
  name: string;
  /** Path of the main module. */
  script: string;
  /** The whole environment. `LOG_FORMAT` must be `json`. */
  env: NodeJS.ProcessEnv;
  /** How many servers it opens before it is ready: each logs `listening` with its name and port. */
  servers: number;
  /** Host of its operations server, which says whether it is ready. */
  opsHost: string;
  /** Receives every line of its output. */
  onLine: (line: string) => void;
}

const READY_POLL_MS = 50;
const READY_TIMEOUT_MS = 60_000;
const OPS_SERVER = 'ops';
/** The name of a server that does not log its name. */
const API_SERVER = 'api';

/** The gateway or the worker, as a child process that ends no later than this process. */
export class AppProcess {
  readonly #options: AppProcessOptions;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #ended = new AbortController();
  readonly #child: GuardedProcess;

  static async start(options: AppProcessOptions): Promise<AppProcess> {
    const ports = new Map<string, number>();
    const child = await spawnGuarded(options.node, ['--enable-source-maps', options.script], {
      env: options.env,
      onLine: (line) => {
        notePort(ports, line);
        options.onLine(line);
      },
    });
    return new AppProcess(options, child, ports);
  }

  private constructor(options: AppProcessOptions, child: GuardedProcess, ports: ReadonlyMap<string, number>) {
    this.#options = options;
    this.#child = child;
    this.#ports = ports;
    void child.exited.then((exit) => this.#ended.abort(toEndError(options.name, exit)));
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves, never rejects, when it has ended. */
  get exited(): Promise<ProcessExit> {
    return this.#child.exited;
  }

  get opsPort(): number {
    return this.#ports.get(OPS_SERVER) ?? 0;
  }

  get apiPort(): number {
    return this.#ports.get(API_SERVER) ?? 0;
  }

  /**
   * @throws the error of {@link toEndError} if the process ends before it is ready.
   * @throws the signal's reason if that aborts.
   */
  async waitUntilReady(signal: AbortSignal): Promise<void> {
    const tooLate = AbortSignal.timeout(READY_TIMEOUT_MS);
    const giveUp = AbortSignal.any([signal, this.#ended.signal, tooLate]);
    while (!(await this.#isReady(giveUp))) {
      await sleep(READY_POLL_MS, giveUp);
      if (tooLate.aborted) {
        throw new Error(`${this.name} was not ready within ${READY_TIMEOUT_MS / 1000} s`);
      }
      giveUp.throwIfAborted();
    }
  }

  /** SIGTERM, and SIGKILL after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<ProcessExit> {
    return await this.#child.stop(timeoutMs);
  }

  async #isReady(signal: AbortSignal): Promise<boolean> {
    if (this.#ports.size < this.#options.servers) {
      return false;
    }
    try {
      const answer = await fetch(`http://${this.#options.opsHost}:${this.opsPort}/readyz`, { signal });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }
}

function notePort(ports: Map<string, number>, text: string): void {
  const line = parseLogLine(text);
  if (line?.message !== 'listening') {
    return;
  }
  const { server, port } = line.fields;
  if (typeof port === 'number') {
    ports.set(server === OPS_SERVER ? OPS_SERVER : API_SERVER, port);
  }
}
