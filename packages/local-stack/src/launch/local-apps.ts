import type { Component } from '@asyncfn/service-kit';
import type { LocalConfig } from '../config.ts';
import { formatHost } from '../port.ts';
import type { Terminal } from '../terminal/index.ts';
import { AppProcess, toEndError } from './app-process.ts';
import { childEnv } from './child-env.ts';
import type { Installation } from './installation.ts';
import type { Preparation } from './prepare.ts';

export interface LocalAppsOptions {
  readonly config: LocalConfig;
  readonly prepared: Preparation;
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Path of Node. */
  readonly node: string;
  readonly mains: Installation['mains'];
  readonly functionsFile: string;
  /** Called at the start. */
  readonly natsUrl: () => string;
  /** Called if one of them ends by itself. */
  readonly fail: (error: Error) => void;
}

type Name = 'gateway' | 'worker';

/** Gateway and worker, as processes of their own. */
export interface LocalApps {
  /** Throws before the start. */
  of(name: Name): AppProcess;
  readonly component: Component;
}

/** The time of a stop beyond the calls in flight, for everything else that a stop does. */
const graceMs = 5_000;

export function createLocalApps(options: LocalAppsOptions): LocalApps {
  const apps = new Map<Name, AppProcess>();
  const limitMs = options.config.shutdownTimeoutMs + graceMs;
  const startOne = async (name: Name, signal: AbortSignal): Promise<void> => {
    const app = await AppProcess.start(toProcess(name, options));
    apps.set(name, app);
    void app.exited.then((exit) => signal.aborted || options.fail(toEndError(name, exit)));
    await app.waitUntilReady(signal);
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...apps.values()].map((app) => app.stop(limitMs)));
  };
  return {
    of(name) {
      const app = apps.get(name);
      if (app === undefined) {
        throw new Error(`the ${name} is not started`);
      }
      return app;
    },
    component: {
      name: 'gateway and worker',
      start: async (signal) => void (await Promise.all([startOne('gateway', signal), startOne('worker', signal)])),
      stop: { name: 'stop gateway and worker', timeoutMs: limitMs + graceMs, run: stop },
    },
  };
}

function toProcess(name: Name, { config, prepared, terminal, env, node, ...facts }: LocalAppsOptions) {
  const { host, shutdownTimeoutMs } = config;
  const { ports, secret } = prepared;
  const own =
    name === 'gateway' ? { opsPort: ports.gatewayOps } : { opsPort: ports.workerOps, signingSecret: secret?.text };
  const { functionsFile } = facts;
  const shared = { natsUrl: facts.natsUrl(), functionsFile, host, shutdownTimeoutMs, port: ports.gateway };
  return {
    node,
    name,
    script: facts.mains[name],
    env: childEnv(env, { ...shared, ...own }),
    servers: name === 'gateway' ? 2 : 1,
    opsHost: formatHost(host),
    onLine: (line: string) => terminal.showOutput(name, line),
  };
}
