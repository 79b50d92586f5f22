import { runProcess } from '@asyncfn/service-kit';
import { localSchema } from './config.ts';
import type { Installation } from './launch/index.ts';
import { createLocal } from './service.ts';
import { SignalFilter, Terminal } from './terminal/index.ts';

/**
 * Runs everything on this machine as one process, from its configuration to its exit code. Reads the settings of
 * `localSchema` from `process.env`, and passes the environment on to gateway and worker.
 */
export async function runLocal(process: NodeJS.Process, installation: Installation): Promise<void> {
  const { env, stdout, execPath } = process;
  const signals = new SignalFilter(process);
  const terminal = new Terminal({
    write: (text) => stdout.write(text),
    colours: stdout.isTTY === true && !env['NO_COLOR'],
  });
  const logger = terminal.createLogger('asyncfn');

  // The reader of the output has gone, as after `| head`: treated like a closed terminal. Later writes fail as well.
  stdout.once('error', () => signals.emit('SIGTERM', 'SIGTERM'));
  stdout.on('error', () => {});

  await runProcess({
    process: signals,
    name: 'asyncfn',
    version: installation.version,
    schema: localSchema,
    logger,
    create: (config, context) => {
      terminal.level = config.logLevel;
      logger.level = config.logLevel;
      return createLocal({ config, context, terminal, env, node: execPath, installation });
    },
  });
}
