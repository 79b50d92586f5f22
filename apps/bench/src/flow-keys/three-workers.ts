import { type Stack, startStack } from '@asyncfn/stack';
import type { SystemOptions } from '../systems/index.ts';

/** A gateway and three workers with one function. */
export function startThreeWorkers(
  { natsServerBin, syncInterval }: SystemOptions,
  functions: Readonly<Record<string, string>>,
): Promise<Stack> {
  return startStack({
    natsServerBin,
    functions,
    workers: 3,
    logs: 'file',
    ...(syncInterval !== undefined && { natsSyncInterval: syncInterval }),
  });
}
