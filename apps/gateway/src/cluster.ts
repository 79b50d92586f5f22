import type { Cluster, Worker } from 'node:cluster';

/** What is used of Node's `process`. */
interface PrimaryProcess {
  exitCode?: number | string | null | undefined;
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
}

interface ClusterOptions {
  readonly process: PrimaryProcess;
  readonly cluster: Pick<Cluster, 'fork'>;
  /** How many gateways to run. */
  readonly count: number;
  /** Of the first gateway; each further one has the next. 0: all pick a free one. */
  readonly opsPort: number;
  /** A terminal sends SIGINT to all of its processes by itself; passed on, it would count twice and cut the stop short. */
  readonly isTerminal: boolean;
}

/**
 * Runs several gateways that share the port of the API, each a process with an operations port of its own. They know
 * nothing of each other, as gateways on different machines do. A signal goes to all of them. When one ends on its own,
 * the others are stopped, so that whoever watches this process starts all of them anew.
 *
 * @returns resolves when all have ended; the exit code is the highest of theirs
 */
export async function runCluster({ process, cluster, count, opsPort, isTerminal }: ClusterOptions): Promise<void> {
  const gateways = Array.from({ length: count }, (_, index) =>
    cluster.fork({ OPS_PORT: String(opsPort === 0 ? 0 : opsPort + index) }),
  );
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    isStopping = true;
    for (const gateway of gateways) {
      gateway.process.kill(signal);
    }
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', (signal) => {
    if (isTerminal) {
      isStopping = true;
    } else {
      stop(signal);
    }
  });
  const codes = gateways.map(async (gateway) => {
    const code = await exitCodeOf(gateway, () => isStopping);
    if (!isStopping) {
      stop('SIGTERM');
    }
    return code;
  });
  process.exitCode = Math.max(...(await Promise.all(codes)));
}

/** A gateway that was killed counts as failed, unless a stop has come before it could listen to signals. */
function exitCodeOf(gateway: Worker, isStopping: () => boolean): Promise<number> {
  return new Promise((resolve) => {
    gateway.once('exit', (code: number | null, signal: string | null) => {
      const wasAskedTo = isStopping() && (signal === 'SIGTERM' || signal === 'SIGINT');
      resolve(code ?? (wasAskedTo ? 0 : 1));
    });
  });
}
