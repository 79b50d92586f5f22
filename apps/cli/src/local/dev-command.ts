import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { integerOption } from '../options/index.ts';
import type { Session } from '../session.ts';

interface DevFlags {
  readonly functions?: string;
  readonly dataDir?: string;
  readonly host?: string;
  readonly port?: number;
  readonly inboxPort?: number;
  readonly natsPort?: number;
}

const examples = `
Examples:
  asyncfn dev
  asyncfn dev --functions functions.yaml
  asyncfn dev --port 0                      (free ports for everything)

It runs the first nats-server 2.12 or later of: NATS_SERVER_BIN, the PATH, its cache; else it downloads one into the cache.
Further settings are environment variables, for the gateway and the worker as well: see docs/configuration.md.`;

/** `asyncfn dev` */
export function devCommand(session: Session): Command {
  return new Command('dev')
    .summary('run everything on this machine')
    .description(
      'Run NATS, a gateway, a worker, sample functions and an inbox for callbacks on this machine, until Ctrl-C.',
    )
    .option('--functions <file>', 'your functions file, instead of the sample functions (FUNCTIONS_FILE)')
    .option('--data-dir <folder>', 'where the queue is kept (STATE_DIR; default: .asyncfn in this folder)')
    .option('--host <address>', 'address of everything that listens (HOST; default: 127.0.0.1)')
    .option('--port <port>', 'port of the gateway; 0: free ports for all (PORT; default: 8080)', port)
    .option('--inbox-port <port>', 'port of the inbox (INBOX_PORT; default: 8090)', port)
    .option('--nats-port <port>', 'port of NATS (NATS_PORT; default: a free one)', port)
    .addHelpText('after', examples)
    .action(async (flags: DevFlags) => runDev(session, flags));
}

const port = integerOption(0, 65_535);

async function runDev({ process, version }: Session, flags: DevFlags): Promise<void> {
  const variables = {
    FUNCTIONS_FILE: flags.functions,
    STATE_DIR: flags.dataDir,
    HOST: flags.host,
    PORT: flags.port?.toString(),
    INBOX_PORT: flags.inboxPort?.toString(),
    NATS_PORT: flags.natsPort?.toString(),
  };
  Object.assign(process.env, Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)));
  // Beside this module, when it is bundled.
  const mainOf = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  // The other commands do not need it, and do not wait for it.
  const { runLocal } = await import('@asyncfn/local-stack');
  await runLocal(process, {
    version,
    mains: { gateway: mainOf('gateway'), worker: mainOf('worker') },
    stateDir: join(resolve('.'), '.asyncfn'),
    command: 'npx asyncfn',
  });
}
