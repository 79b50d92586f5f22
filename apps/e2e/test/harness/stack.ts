import type {} from '@asyncfn/nats-server/vitest';
import { type Stack, type StackOptions, startStack as start } from '@asyncfn/stack';
import { inject } from 'vitest';

/** A stack with the nats-server of the test run. */
export function startStack(options: StackOptions): Promise<Stack> {
  return start({ natsServerBin: inject('natsServerBin'), ...options });
}
