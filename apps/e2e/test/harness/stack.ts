import type {} from '@asyncfn/nats-server/vitest';
import { type Stack, type StackOptions, startStack as start } from '@asyncfn/stack';
import { afterEach, inject, onTestFailed } from 'vitest';

/** A stack for all tests of a file, to be started before them: each test that fails prints the last lines of its processes. */
export async function startSharedStack(options: StackOptions): Promise<Stack> {
  const stack = await start({ natsServerBin: inject('natsServerBin'), ...options });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') {
      process.stderr.write(stack.tails);
    }
  });
  return stack;
}

/** A stack with the nats-server of the test run. On a failed test the last lines of its processes are printed. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const stack = await start({ natsServerBin: inject('natsServerBin'), ...options });
  onTestFailed(() => void process.stderr.write(stack.tails));
  return stack;
}
