import cluster from 'node:cluster';
import { parseConfig, readVersion, runProcess } from '@asyncfn/service-kit';
import { runCluster } from './cluster.ts';
import { gatewayConfig } from './config.ts';
import { createGateway } from './service.ts';

const { processes, opsPort } = parseClusterConfig();
if (processes > 1 && cluster.isPrimary) {
  await runCluster({ process, cluster, count: processes, opsPort, isTerminal: process.stdin.isTTY });
} else {
  await runProcess({
    process,
    name: 'gateway',
    version: readVersion(import.meta.url),
    schema: gatewayConfig,
    create: createGateway,
  });
  cluster.worker?.disconnect(); // or else the channel to the primary keeps it alive
}

/** Where the configuration is wrong, a gateway is run all the same: it tells what is wrong. */
function parseClusterConfig(): { processes: number; opsPort: number } {
  try {
    return parseConfig(gatewayConfig, process.env);
  } catch {
    return { processes: 1, opsPort: 0 };
  }
}
