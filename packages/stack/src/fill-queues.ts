import { ApiClient, type CallRequest } from './clients/index.ts';
import type { Stack } from './stack.ts';

/** Enqueues this many calls of each function. Without a worker, so that only the time of workers counts later. */
export async function fillQueues(
  stack: Pick<Stack, 'gateway'>,
  calls: Readonly<Record<string, number>>,
  request: CallRequest = {},
): Promise<void> {
  await using client = new ApiClient(stack.gateway.url, 64);
  for (const [name, count] of Object.entries(calls)) {
    await client.acceptMany(name, count, request);
  }
}
