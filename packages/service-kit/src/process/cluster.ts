import type { Cluster, Worker } from 'node:cluster';

/** The part of Node's `process` that is used. */
interface PrimaryProcess {
  exitCode?: number | string | null | undefined;
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
}

interface ClusterOptions {
  readonly process: PrimaryProcess;
  readonly cluster: Pick<Cluster, 'fork'>;
  /** Number of processes. */
  readonly count: number;
  /** Port of the first one; each further one uses the next. 0: each picks a free one. */
  readonly opsPort: number;
  /** A terminal sends SIGINT to all of its processes; passing it on would count twice and cut the stop short. */
  readonly isTerminal: boolean;
}

/**
 * Runs the program several times, each a process with its own operations port; other ports are shared. The processes
 * are independent, as if each ran on a machine of its own. A signal goes to all of them. If one ends on its own, the
 * others are stopped, so that the supervisor of this process starts all of them again.
 *
 * @returns resolves when all have ended; the exit code is the highest of theirs
 */
export async function runCluster({ process, cluster, count, opsPort, isTerminal }: ClusterOptions): Promise<void> {
  const children = Array.from({ length: count }, (_, index) =>
    cluster.fork({ OPS_PORT: String(opsPort === 0 ? 0 : opsPort + index) }),
  );
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    isStopping = true;
    for (const child of children) {
      child.process.kill(signal);
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
  const codes = children.map(async (child) => {
    const code = await exitCodeOf(child, () => isStopping);
    if (!isStopping) {
      stop('SIGTERM');
    }
    return code;
  });
  process.exitCode = Math.max(...(await Promise.all(codes)));
}

/** A killed process counts as failed, unless a stop came before it could handle signals. */
function exitCodeOf(child: Worker, isStopping: () => boolean): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code: number | null, signal: string | null) => {
      const wasAskedTo = isStopping() && (signal === 'SIGTERM' || signal === 'SIGINT');
      resolve(code ?? (wasAskedTo ? 0 : 1));
    });
  });
}
