import { cpus, release, totalmem } from 'node:os';

/** The conditions on which the numbers of a run depend. */
export interface Environment {
  readonly date: string;
  readonly node: string;
  readonly natsServer: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  /** Cores that the run was limited to; absent if not limited. */
  readonly limitedTo?: number;
  readonly memoryGiB: number;
}

export function readEnvironment(natsServer: string, now: Date, limitedTo?: number): Environment {
  const processors = cpus();
  return {
    date: now.toISOString().slice(0, 10),
    node: process.version,
    natsServer,
    system: `${process.platform} ${release()} ${process.arch}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    ...(limitedTo !== undefined && { limitedTo }),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
  };
}

export function describeEnvironment(environment: Environment): string {
  const { date, node, natsServer, system, cpu, cores, limitedTo, memoryGiB } = environment;
  const share = limitedTo === undefined ? '' : `, of which the run may use ${limitedTo}`;
  return `${date}, Node ${node}, nats-server ${natsServer}, ${system}, ${cores} cores (${cpu})${share}, ${memoryGiB} GiB, everything on this one machine.`;
}
