import cluster from 'node:cluster';
import { parseConfig, readVersion, runProcess } from '@asyncfn/service-kit';
import { runCluster } from './cluster.ts';
import { gatewayConfig } from './config.ts';
import { createGateway } from './service.ts';

/** Runs a gateway as a process, or several of them, from the configuration to the exit code. */
export async function run(process: NodeJS.Process): Promise<void> {
  const { processes, opsPort } = parseClusterConfig(process);
  if (processes > 1 && cluster.isPrimary) {
    await runCluster({ process, cluster, count: processes, opsPort, isTerminal: process.stdin.isTTY });
    return;
  }
  await runProcess({
    process,
    name: 'gateway',
    version: readVersion(import.meta.url),
    schema: gatewayConfig,
    // If several processes share the environment, only the first one.
    warnsOfMisspelt: (cluster.worker?.id ?? 1) === 1,
    create: createGateway,
  });
  cluster.worker?.disconnect(); // or else the channel to the primary keeps it alive
}

/** Runs a single gateway if the configuration is invalid: it reports the problems. */
function parseClusterConfig({ env }: NodeJS.Process): { processes: number; opsPort: number } {
  try {
    return parseConfig(gatewayConfig, env);
  } catch {
    return { processes: 1, opsPort: 0 };
  }
}
