import { readVersion, runProcesses } from '@asyncfn/service-kit';
import { gatewayConfig } from './config.ts';
import { createGateway } from './service.ts';

/** Runs a gateway as a process, or several of them (`PROCESSES`), from the configuration to the exit code. */
export async function run(process: NodeJS.Process): Promise<void> {
  await runProcesses({
    process,
    name: 'gateway',
    version: readVersion(import.meta.url),
    schema: gatewayConfig,
    create: createGateway,
  });
}
