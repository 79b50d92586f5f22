import { readVersion, runProcesses } from '@asyncfn/service-kit';
import { workerConfig } from './config.ts';
import { createWorker } from './service.ts';

/** Runs a worker as a process, or several of them (`PROCESSES`), from the configuration to the exit code. */
export async function run(process: NodeJS.Process): Promise<void> {
  await runProcesses({
    process,
    name: 'worker',
    version: readVersion(import.meta.url),
    schema: workerConfig,
    create: createWorker,
  });
}
