import { ConfigError, type ConfigOf, parseConfig, type Schema } from '../config/index.ts';
import { findMisspelt } from '../environment/index.ts';
import type { Service } from '../lifecycle/index.ts';
import { createLogger, type Logger } from '../logging/index.ts';
import { sleep } from '../timing.ts';
import { processConfig } from './common-config.ts';
import { disablePretenuring } from './v8-flags.ts';

/** The part of Node's `process` that is used. */
export interface ProcessHandle {
  readonly pid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  exitCode?: number | string | null | undefined;
  readonly stderr: { write(text: string): unknown };
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
  on(event: 'uncaughtException', listener: (error: Error) => void): unknown;
  on(event: 'unhandledRejection', listener: (reason: unknown) => void): unknown;
  exit(code: number): unknown;
}

/** What a process gives to the service it runs. */
export interface ProcessContext {
  readonly logger: Logger;
  readonly version: string;
  /** Of the process. */
  readonly pid: number;
  /** The environment, for what files may name; settings come as the configuration. */
  readonly env: ProcessHandle['env'];
  /** Aborts when a stop is asked for; of use to a `create` that takes its time. */
  readonly signal: AbortSignal;
  /**
   * For a service that cannot continue: the error is logged, the service stopped, and the process ends with 1, or with
   * 78 for a `ConfigError`.
   */
  fail(error: unknown): void;
}

export interface ProcessOptions<S extends Schema> {
  readonly process: ProcessHandle;
  /** `name` of every log line. */
  readonly name: string;
  readonly version: string;
  readonly schema: S & typeof processConfig;
  create(config: ConfigOf<S>, context: ProcessContext): Promise<Service> | Service;
  /** Whether to warn of each variable that looks like a setting but is none. Default: false. */
  readonly warnsOfMisspelt?: boolean;
  /** Default: created from `LOG_LEVEL` and `LOG_FORMAT`. */
  readonly logger?: Logger;
  /** The time that a stop may take beyond `SHUTDOWN_TIMEOUT` before the process is ended by force. Default 10,000. */
  readonly stopGraceMs?: number;
  /** How long the process may linger after its stop, with handles left open, before it is ended. Default 2,000. */
  readonly lingerMs?: number;
}

const EXIT_OK = 0;
const EXIT_FAILED = 1;
/** EX_CONFIG of sysexits(3). */
const EXIT_CONFIG = 78;

/**
 * Runs one service as a process, from its configuration to its exit code: 0 after a clean stop, 78 for bad
 * configuration (every problem on stderr, one a line), 1 for anything else. SIGTERM and SIGINT stop the service; a
 * second signal ends the process at once. A `ConfigError` that `create` or the start throws counts as configuration.
 *
 * @returns resolves when all has stopped; never rejects
 */
export async function runProcess<const S extends Schema>(options: ProcessOptions<S>): Promise<void> {
  const { process, schema, name } = options;
  disablePretenuring();
  const config = orConfigError(() => parseConfig<S>(schema, process.env));
  if (config instanceof ConfigError) {
    process.exitCode = reportConfigError(process, config);
    return;
  }
  const { logLevel, logFormat, shutdownTimeoutMs } = parseConfig(processConfig, process.env);
  const logger = options.logger ?? createLogger({ name, level: logLevel, format: logFormat });
  if (options.warnsOfMisspelt === true) {
    warnOfMisspelt(process, logger);
  }
  const run = new ProcessRun(process, logger, {
    version: options.version,
    stopLimitMs: shutdownTimeoutMs + (options.stopGraceMs ?? 10_000),
    lingerMs: options.lingerMs ?? 2_000,
  });
  await run.run(async (context) => options.create(config, context));
}

/** Values are not shown: one may be a secret. */
function warnOfMisspelt({ env }: ProcessHandle, logger: Logger): void {
  for (const misspelt of findMisspelt(env)) {
    logger.warn(misspelt, 'environment variable has no effect: there is no setting of this name');
  }
}

interface RunOptions {
  readonly version: string;
  readonly stopLimitMs: number;
  readonly lingerMs: number;
}

/** The time from a good configuration to the end. */
class ProcessRun {
  readonly #process: ProcessHandle;
  readonly #logger: Logger;
  readonly #options: RunOptions;
  readonly #stopRequest = new AbortController();
  #signals = 0;
  #exitCode = EXIT_OK;

  constructor(process: ProcessHandle, logger: Logger, options: RunOptions) {
    this.#process = process;
    this.#logger = logger;
    this.#options = options;
  }

  async run(create: (context: ProcessContext) => Promise<Service>): Promise<void> {
    this.#listen();
    const created = this.#create(create);
    const started = created.then((service) => this.#start(service));
    await aborted(this.#stopRequest.signal);
    // Should the event loop run dry halfway, the process must not pass for a success.
    this.#process.exitCode = EXIT_FAILED;
    await this.#stopInTime(created, started);
    this.#leave();
  }

  #listen(): void {
    this.#process.on('SIGTERM', (signal) => this.#onSignal(signal));
    this.#process.on('SIGINT', (signal) => this.#onSignal(signal));
    this.#process.on('uncaughtException', (err) => this.#fail(err, 'uncaught exception'));
    this.#process.on('unhandledRejection', (err) => this.#fail(err, 'unhandled rejection'));
  }

  #onSignal(signal: NodeJS.Signals): void {
    this.#signals += 1;
    if (this.#signals > 1) {
      this.#logger.fatal({ signal }, 'second signal, not waiting any longer');
      this.#process.exit(EXIT_FAILED);
      return;
    }
    this.#logger.info({ signal }, 'stop requested');
    this.#stopRequest.abort();
  }

  #fail(err: unknown, sentence: string): void {
    if (err instanceof ConfigError) {
      this.#requestStop(reportConfigError(this.#process, err));
      return;
    }
    this.#logger.fatal({ err }, sentence);
    this.#requestStop(EXIT_FAILED);
  }

  /** The first failure decides the exit code; one that comes after all has stopped still counts. */
  #requestStop(exitCode: number): void {
    this.#exitCode ||= exitCode;
    this.#process.exitCode = this.#exitCode;
    this.#stopRequest.abort();
  }

  async #create(create: (context: ProcessContext) => Promise<Service>): Promise<Service | undefined> {
    try {
      return await create({
        logger: this.#logger,
        version: this.#options.version,
        pid: this.#process.pid,
        env: this.#process.env,
        signal: this.#stopRequest.signal,
        fail: (error) => this.#fail(error, 'service failed'),
      });
    } catch (error) {
      this.#onStartError(error);
      return undefined;
    }
  }

  async #start(service: Service | undefined): Promise<void> {
    if (service === undefined || this.#stopRequest.signal.aborted) {
      return;
    }
    try {
      await service.start();
      this.#logger.info({ version: this.#options.version, pid: this.#process.pid }, 'started');
    } catch (error) {
      this.#onStartError(error);
    }
  }

  #onStartError(error: unknown): void {
    if (this.#stopRequest.signal.aborted) {
      this.#logger.debug({ err: error }, 'start given up');
    } else {
      this.#fail(error, 'start failed');
    }
  }

  async #stopInTime(created: Promise<Service | undefined>, started: Promise<void>): Promise<void> {
    const stopped = new AbortController();
    const timeUp = sleep(this.#options.stopLimitMs, stopped.signal).then(() => 'time up' as const);
    const outcome = await Promise.race([this.#stop(created, started), timeUp]);
    stopped.abort();
    if (outcome !== 'time up') {
      return;
    }
    this.#logger.fatal({ limitMs: this.#options.stopLimitMs }, 'not stopped in time');
    this.#process.exit(EXIT_FAILED);
  }

  async #stop(created: Promise<Service | undefined>, started: Promise<void>): Promise<void> {
    try {
      const service = await created;
      await service?.stop();
      await started;
    } catch (err) {
      this.#exitCode ||= EXIT_FAILED;
      this.#logger.error({ err }, 'stop failed');
    }
  }

  /** The process ends by itself when no work is left; a forgotten handle must not keep it for ever. */
  #leave(): void {
    this.#process.exitCode = this.#exitCode;
    this.#logger.info({ exitCode: this.#exitCode }, 'stopped');
    setTimeout(() => {
      this.#logger.warn({ lingerMs: this.#options.lingerMs }, 'ended by force: handles were left open');
      this.#process.exit(this.#exitCode);
    }, this.#options.lingerMs).unref();
  }
}

function reportConfigError(process: ProcessHandle, error: ConfigError): number {
  process.stderr.write(`${error.message}\n`);
  return EXIT_CONFIG;
}

function orConfigError<T>(read: () => T): T | ConfigError {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) {
      return error;
    }
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
