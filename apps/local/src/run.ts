import { fileURLToPath } from 'node:url';
import { runLocal } from '@asyncfn/local-stack';
import { readVersion } from '@asyncfn/service-kit';

const repository = new URL('../../../', import.meta.url);
const inRepository = (path: string): string => fileURLToPath(new URL(path, repository));

/** Runs everything from this repository. */
export async function run(process: NodeJS.Process): Promise<void> {
  await runLocal(process, {
    version: readVersion(import.meta.url),
    mains: { gateway: inRepository('apps/gateway/dist/main.js'), worker: inRepository('apps/worker/dist/main.js') },
    stateDir: inRepository('.asyncfn'),
  });
}
