import { readVersion, runProcess } from '@asyncfn/service-kit';
import { workerConfig } from './config.ts';
import { createWorker } from './service.ts';

/** Runs a worker as a process, from its configuration to its exit code. */
export async function run(process: NodeJS.Process): Promise<void> {
  const version = readVersion(import.meta.url);
  await runProcess({
    process,
    name: 'worker',
    version,
    schema: workerConfig,
    warnsOfMisspelt: true,
    create: createWorker,
  });
}
