import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessExit } from '@asyncfn/guarded-process';
import { type LaunchSettings, launchServer, type RunningServer, relaunchServer } from './launch-server.ts';
import { NatsServerError } from './nats-server-error.ts';

export interface NatsServerOptions {
  /** The executable. Default: `nats-server`, looked up on the PATH. */
  readonly bin?: string;
  /** Client port. Default 0: a free one. */
  readonly port?: number;
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Whether JetStream is on. Default: true. */
  readonly jetstream?: boolean;
  /** JetStream's folder, kept. Default: a fresh temporary one, removed by `stop()`. */
  readonly storeDir?: string;
  /** Most bytes of a message with its headers. Default 8 MiB: nats-server warns of more. */
  readonly maxPayload?: number;
  /** When JetStream syncs to disk: `always` or a duration such as `2m`. Default: the server's own, two minutes. */
  readonly syncInterval?: string;
  /** JetStream's domain. Default: none. */
  readonly domain?: string;
  /** Serve `/varz`, `/jsz` and the like at `monitorUrl`. Default: false. */
  readonly monitor?: boolean;
  /** The server's name. Default: its random id. */
  readonly name?: string;
  /** More text for the configuration file; wins over what the other options set. */
  readonly config?: string;
  /** More command line arguments. */
  readonly args?: readonly string[];
  /** Receives the server's log lines. Default: they are only kept for the message of a failed start. */
  readonly onLine?: (line: string) => void;
  /** Time limit of a start, which includes the recovery of the store. Default: 30,000. */
  readonly startTimeoutMs?: number;
}

/** A running server. Leaving an `await using` scope stops it. */
export interface NatsServer extends AsyncDisposable {
  /** `nats://host:port`. */
  readonly url: string;
  readonly port: number;
  /** Set when monitoring is on. */
  readonly monitorUrl: string | undefined;
  /** Pid of the running process; a restart changes it. */
  readonly pid: number;
  readonly storeDir: string;
  /** Resolves when the running process has ended, for any reason. */
  readonly exited: Promise<ProcessExit>;
  signal(name: NodeJS.Signals): void;
  /** SIGSTOP; resolves when it has stopped and answers nothing more, until `signal('SIGCONT')`. */
  pause(): Promise<void>;
  /** Stops for good and removes temporary files. Idempotent, legal after the server has ended. */
  stop(): Promise<ProcessExit>;
  /**
   * Ends the process by `signal` (default SIGTERM) if it still runs, and starts it again on the same port and store.
   * A `stop()` meanwhile waits for it, and none is possible after a `stop()`.
   * For a longer outage: `signal()`, await `exited`, and `restart()` when it should be over.
   */
  restart(options?: { readonly signal?: NodeJS.Signals }): Promise<void>;
}

/**
 * Starts a server that ends with this process at the latest, and waits until it and JetStream are ready.
 * @throws {NatsServerError} `start_failed` with the server's last log lines.
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const runDir = await mkdtemp(join(tmpdir(), 'asyncfn-nats-'));
  const settings = withDefaults(options, runDir);
  try {
    return new ServerHandle(settings, await launchServer(settings, options.port ?? 0));
  } catch (error) {
    await rm(runDir, { recursive: true, force: true });
    throw error;
  }
}

function withDefaults(options: NatsServerOptions, runDir: string): LaunchSettings {
  return {
    bin: options.bin ?? 'nats-server',
    args: options.args ?? [],
    runDir,
    storeDir: options.storeDir ?? join(runDir, 'store'),
    host: options.host ?? '127.0.0.1',
    jetstream: options.jetstream ?? true,
    maxPayload: options.maxPayload ?? 8 * 1024 * 1024,
    syncInterval: options.syncInterval,
    domain: options.domain,
    monitor: options.monitor ?? false,
    name: options.name,
    extraConfig: options.config ?? '',
    onLine: options.onLine ?? (() => {}),
    startTimeoutMs: options.startTimeoutMs ?? 30_000,
  };
}

class ServerHandle implements NatsServer {
  readonly port: number;
  readonly url: string;
  readonly storeDir: string;
  readonly #settings: LaunchSettings;
  #running: RunningServer;
  #restarting: Promise<void> | undefined;
  #stopping: Promise<ProcessExit> | undefined;

  constructor(settings: LaunchSettings, running: RunningServer) {
    this.port = running.port;
    this.url = `nats://${settings.host}:${running.port}`;
    this.storeDir = settings.storeDir;
    this.#settings = settings;
    this.#running = running;
  }

  get pid(): number {
    return this.#running.process.pid;
  }

  get monitorUrl(): string | undefined {
    return this.#running.monitorUrl;
  }

  get exited(): Promise<ProcessExit> {
    return this.#running.process.exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#running.process.signal(name);
  }

  pause(): Promise<void> {
    return this.#running.process.pause();
  }

  stop(): Promise<ProcessExit> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async restart({ signal = 'SIGTERM' }: { readonly signal?: NodeJS.Signals } = {}): Promise<void> {
    if (this.#stopping !== undefined) {
      throw new NatsServerError('start_failed', 'the server was stopped for good');
    }
    this.#restarting = this.#restart(signal);
    await this.#restarting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #restart(signal: NodeJS.Signals): Promise<void> {
    this.signal(signal);
    await this.exited;
    this.#running = await relaunchServer(this.#settings, this.port);
  }

  async #stop(): Promise<ProcessExit> {
    // A restart reports a failure; here the server only has to end.
    await this.#restarting?.catch(() => {});
    const exit = await this.#running.process.stop();
    await rm(this.#settings.runDir, { recursive: true, force: true });
    return exit;
  }
}
