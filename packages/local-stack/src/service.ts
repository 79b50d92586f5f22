import { join, resolve } from 'node:path';
import {
  type Component,
  composeService,
  type Logger,
  OwnHosts,
  type ProcessContext,
  type Service,
} from '@asyncfn/service-kit';
import type { LocalConfig } from './config.ts';
import { type HttpHandler, HttpListener } from './http-listener.ts';
import { createInbox } from './inbox/index.ts';
import {
  createLocalApps,
  createLocalNats,
  type Installation,
  prepareLocal,
  writeFunctionsFile,
} from './launch/index.ts';
import { formatHost } from './port.ts';
import { createSampleFunctions } from './samples/index.ts';
import { renderBanner, type Terminal } from './terminal/index.ts';

export interface LocalOptions {
  config: LocalConfig;
  context: Pick<ProcessContext, 'fail'>;
  terminal: Terminal;
  env: NodeJS.ProcessEnv;
  /** Path of Node, for gateway and worker. */
  node: string;
  installation: Installation;
}

/** How long the servers of this process may take to close, in milliseconds. */
const closeMs = 5_000;

/** NATS, gateway, worker, sample functions and the callback inbox, as one service. */
export async function createLocal(options: LocalOptions): Promise<Service> {
  const { config, context, terminal, env, installation } = options;
  const prepared = await prepareLocal(config, installation.stateDir);
  const { stateDir, ports, secret, trustedKeys: signingSecrets } = prepared;
  const listener = (source: 'functions' | 'inbox', port: number, handlerOf: (logger: Logger) => HttpHandler) => {
    const logger = terminal.createLogger(source);
    const bind = { host: config.host, port, variable: `${source.toUpperCase()}_PORT`, what: source };
    return new HttpListener({ handler: handlerOf(logger), logger, bind });
  };
  const ownHosts = new OwnHosts(config.allowedHosts);
  // Known once the gateway listens.
  let consoleUrl: string | undefined;
  const samples = listener('functions', ports.functions, createSampleFunctions);
  const inbox = listener('inbox', ports.inbox, (logger) =>
    createInbox({ logger, signingSecrets, ownHosts, consoleUrl: () => consoleUrl }),
  );
  const { fail } = context;
  const nats = createLocalNats({ port: ports.nats, stateDir, terminal, env, fail });
  const ownFile = join(stateDir, 'functions.yaml');
  const functionsFile = resolve(config.functionsFile ?? ownFile);
  const natsUrl = () => nats.url;
  const apps = createLocalApps({ ...options, mains: installation.mains, prepared, functionsFile, natsUrl, fail });
  const showBanner = (): void => {
    const host = formatHost(config.host);
    const [gateway, worker] = [apps.of('gateway'), apps.of('worker')];
    const gatewayUrl = `http://${host}:${gateway.apiPort}`;
    consoleUrl = env['CONSOLE'] === 'off' ? undefined : `${gatewayUrl}/console`;
    terminal.print(
      renderBanner({
        consoleUrl,
        gatewayUrl,
        gatewayOpsUrl: `http://${host}:${gateway.opsPort}`,
        workerOpsUrl: `http://${host}:${worker.opsPort}`,
        inboxUrl: inbox.url,
        samplesUrl: samples.url,
        natsUrl: nats.url,
        stateDir,
        signingSecretFile: secret?.path,
        functionsFile: config.functionsFile,
        command: installation.command,
      }),
    );
  };
  // Started in this order and stopped in reverse: gateway and worker finish while the processes that they use still
  // run.
  const components: readonly Component[] = [
    { name: 'state folder', stop: { name: 'release the state folder', timeoutMs: closeMs, run: prepared.release } },
    listening('sample functions', samples),
    listening('inbox', inbox),
    {
      name: 'functions file',
      start: () => (config.functionsFile === undefined ? writeFunctionsFile(ownFile, samples.url) : undefined),
    },
    nats.component,
    apps.component,
    { name: 'banner', start: showBanner },
  ];
  const logger = terminal.createLogger('asyncfn').child({}, { level: 'warn' });
  return composeService(components, { name: 'asyncfn on this machine', logger });
}

function listening(name: string, listener: HttpListener): Component {
  const stop = { name: `close ${name}`, timeoutMs: closeMs, run: () => listener.stop() };
  return { name, start: () => listener.start(), stop };
}
