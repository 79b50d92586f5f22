import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessExit } from '@asyncfn/guarded-process';
import { findNatsServer, type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import { createService, type Logger, OwnHosts, type ProcessContext, type Service } from '@asyncfn/service-kit';
import { type LocalConfig, type LocalPorts, resolvePorts } from './config.ts';
import { type HttpHandler, HttpListener } from './http-listener.ts';
import { createInbox } from './inbox/index.ts';
import {
  AppProcess,
  type ChildEnvFacts,
  childEnv,
  type FolderLock,
  type KeptSecret,
  keepSigningSecret,
  lockFolder,
  makeStateFolder,
  renderFunctionsFile,
  toEndError,
} from './launch/index.ts';
import { checkPorts, formatHost, type WantedPort } from './port.ts';
import { createSampleFunctions } from './samples/index.ts';
import { renderBanner, type Terminal } from './terminal/index.ts';

export interface LocalOptions {
  config: LocalConfig;
  context: Pick<ProcessContext, 'fail'>;
  terminal: Terminal;
  env: NodeJS.ProcessEnv;
  /** Path of Node, for gateway and worker. */
  node: string;
}

/** Beyond what a process may take over its calls in flight, for all else that a stop has to do. */
const STOP_GRACE_MS = 5_000;
const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * NATS, gateway, worker, sample functions and the callback inbox, as one service. A stop goes the other way round:
 * gateway and worker finish first, while what they talk to is still there.
 */
export function createLocal(options: LocalOptions): Service {
  const stack = new LocalStack(options);
  return createService({ start: (signal) => stack.start(signal), stop: () => stack.stop() });
}

class LocalStack {
  readonly #options: LocalOptions;
  readonly #config: LocalConfig;
  readonly #ports: LocalPorts;
  readonly #stateDir: string;
  readonly #listeners: HttpListener[] = [];
  readonly #apps: AppProcess[] = [];
  #nats: NatsServer | undefined;
  #lock: FolderLock | undefined;
  #isStopping = false;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#ports = resolvePorts(options.config);
    this.#stateDir = resolve(options.config.stateDir ?? join(REPOSITORY, '.asyncfn'));
  }

  async start(signal: AbortSignal): Promise<void> {
    await makeStateFolder(this.#stateDir);
    this.#lock = await lockFolder(this.#stateDir);
    await checkPorts(this.#wantedPorts());
    const secret = await this.#keepSecret();
    const samples = await this.#listen('functions', this.#ports.functions, createSampleFunctions);
    const signingSecrets = this.#trustedKeys(secret);
    const ownHosts = new OwnHosts(this.#config.allowedHosts);
    const inbox = await this.#listen('inbox', this.#ports.inbox, (logger) =>
      createInbox({ logger, signingSecrets, ownHosts }),
    );
    const nats = await this.#startNats(signal);
    const functionsFile = await this.#writeFunctionsFile(samples.url);
    const facts = { natsUrl: nats.url, functionsFile };
    const [gateway, worker] = await Promise.all([
      this.#startApp('gateway', { ...facts, opsPort: this.#ports.gatewayOps }),
      this.#startApp('worker', { ...facts, opsPort: this.#ports.workerOps, signingSecret: secret?.text }),
    ]);
    await Promise.all([gateway.waitUntilReady(signal), worker.waitUntilReady(signal)]);
    const host = formatHost(this.#config.host);
    this.#options.terminal.print(
      renderBanner({
        gatewayUrl: `http://${host}:${gateway.apiPort}`,
        gatewayOpsUrl: `http://${host}:${gateway.opsPort}`,
        workerOpsUrl: `http://${host}:${worker.opsPort}`,
        inboxUrl: inbox.url,
        samplesUrl: samples.url,
        natsUrl: nats.url,
        stateDir: this.#stateDir,
        signingSecretFile: secret?.path,
        functionsFile: this.#config.functionsFile,
      }),
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const limitMs = this.#config.shutdownTimeoutMs + STOP_GRACE_MS;
    await Promise.all(this.#apps.map((app) => app.stop(limitMs)));
    await this.#nats?.stop();
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    await this.#lock?.[Symbol.asyncDispose]();
  }

  #wantedPorts(): WantedPort[] {
    const { host } = this.#config;
    return [
      { host, port: this.#ports.gateway, variable: 'PORT', what: 'gateway' },
      { host, port: this.#ports.gatewayOps, variable: 'OPS_PORT', what: 'gateway operations' },
      { host, port: this.#ports.workerOps, variable: 'WORKER_OPS_PORT', what: 'worker operations' },
      { host, port: this.#ports.inbox, variable: 'INBOX_PORT', what: 'callback inbox' },
      { host, port: this.#ports.functions, variable: 'FUNCTIONS_PORT', what: 'sample functions' },
      { host, port: this.#ports.nats, variable: 'NATS_PORT', what: 'NATS' },
    ];
  }

  /** Undefined where the user has secrets: those reach the worker with the rest of the environment. */
  async #keepSecret(): Promise<KeptSecret | undefined> {
    const isNeeded = this.#config.callbackSigningSecrets === undefined;
    return isNeeded ? await keepSigningSecret(join(this.#stateDir, 'callback-signing-secret')) : undefined;
  }

  #trustedKeys(secret: KeptSecret | undefined): readonly Uint8Array[] {
    const own = secret === undefined ? [] : [secret.key];
    return this.#config.inboxSigningSecrets ?? this.#config.callbackSigningSecrets ?? own;
  }

  async #listen(
    source: 'functions' | 'inbox',
    port: number,
    createHandler: (logger: Logger) => HttpHandler,
  ): Promise<HttpListener> {
    const logger = this.#options.terminal.createLogger(source);
    const bind = { host: this.#config.host, port, variable: `${source.toUpperCase()}_PORT`, what: source };
    const listener = new HttpListener({ handler: createHandler(logger), logger, bind });
    this.#listeners.push(listener);
    await listener.start();
    return listener;
  }

  async #startNats(signal: AbortSignal): Promise<NatsServer> {
    const { terminal, env } = this.#options;
    const search = findNatsServer({ env, log: (line) => terminal.showOutput('nats', line) });
    const found = await Promise.race([search, rejectOnAbort(signal)]);
    terminal.showOutput('nats', `nats-server ${found.version} (${found.path})`);
    this.#nats = await startNatsServer({
      bin: found.path,
      port: this.#ports.nats,
      storeDir: join(this.#stateDir, 'nats'),
      // A 202 survives a power failure; gateway and worker learn of it from NATS_SYNC and store in groups.
      syncInterval: 'always',
      onLine: (line) => terminal.showNatsOutput(line),
    });
    this.#watch('nats-server', this.#nats.exited);
    return this.#nats;
  }

  async #writeFunctionsFile(samplesUrl: string): Promise<string> {
    if (this.#config.functionsFile !== undefined) {
      return resolve(this.#config.functionsFile);
    }
    const path = join(this.#stateDir, 'functions.yaml');
    await writeFile(path, renderFunctionsFile(samplesUrl));
    return path;
  }

  async #startApp(
    name: 'gateway' | 'worker',
    facts: Pick<ChildEnvFacts, 'natsUrl' | 'functionsFile' | 'opsPort' | 'signingSecret'>,
  ): Promise<AppProcess> {
    const { terminal, env, node } = this.#options;
    const { host, shutdownTimeoutMs } = this.#config;
    const app = await AppProcess.start({
      node,
      name,
      script: join(REPOSITORY, 'apps', name, 'dist', 'main.js'),
      env: childEnv(env, { ...facts, host, shutdownTimeoutMs, port: this.#ports.gateway }),
      servers: name === 'gateway' ? 2 : 1,
      opsHost: formatHost(host),
      onLine: (line) => terminal.showOutput(name, line),
    });
    this.#apps.push(app);
    this.#watch(name, app.exited);
    return app;
  }

  #watch(name: string, exited: Promise<ProcessExit>): void {
    void exited.then((exit) => {
      if (!this.#isStopping) {
        this.#options.context.fail(toEndError(name, exit));
      }
    });
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
    }
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
