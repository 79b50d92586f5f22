import cluster from 'node:cluster';
import { type ConfigOf, parseConfig, type Schema } from '../config/index.ts';
import { runCluster } from './cluster.ts';
import type { opsPort, processConfig, processes } from './common-config.ts';
import { type ProcessOptions, runProcess } from './process.ts';

/** The settings that are read before it is known whether this process works or starts those that do. */
type ScaledConfig = typeof processConfig & {
  readonly processes: ReturnType<typeof processes>;
  readonly opsPort: ReturnType<typeof opsPort>;
};

type Options<S extends Schema> = Omit<ProcessOptions<S>, 'process' | 'warnsOfMisspelt'> & {
  readonly process: NodeJS.Process;
  readonly schema: S & ScaledConfig;
};

/**
 * Runs a service as this process, or, with `PROCESSES`, as several: see `runProcess` and `runCluster`. Warns of
 * misspelt settings once.
 *
 * @returns resolves when all has stopped; never rejects
 */
export async function runProcesses<const S extends Schema>(options: Options<S>): Promise<void> {
  const { process } = options;
  const { count, opsPort } = readCount(options);
  if (count > 1 && cluster.isPrimary) {
    await runCluster({ process, cluster, count, opsPort, isTerminal: process.stdin.isTTY });
    return;
  }
  await runProcess({ ...options, warnsOfMisspelt: (cluster.worker?.id ?? 1) === 1 });
  cluster.worker?.disconnect(); // or else the channel to the primary keeps it alive
}

/** One process if the configuration is invalid: it reports the problems. */
function readCount<S extends Schema>({ process, schema }: Options<S>): { count: number; opsPort: number } {
  try {
    const config: ConfigOf<ScaledConfig> = parseConfig<ScaledConfig>(schema, process.env);
    return { count: config.processes, opsPort: config.opsPort };
  } catch {
    return { count: 1, opsPort: 0 };
  }
}
