import type { ApiClient, CallClient } from '@asyncfn/stack';

/** Follows calls from their acceptance to their ends, twenty at once. Returns the states of each, in order. */
export async function followCalls(count: number, client: ApiClient, calls: CallClient) {
  let asked = 0;
  const follow = async (): Promise<string> => {
    const seen: string[] = [];
    const callId = await client.accept('fn');
    while (seen.at(-1) !== 'succeeded') {
      // Throws for any answer but 200.
      const { status: now } = await calls.state(callId);
      asked += 1;
      if (now !== seen.at(-1)) {
        seen.push(now);
      }
    }
    return seen.join(' ');
  };
  let left = count;
  const followMany = async (): Promise<string[]> => {
    const seen: string[] = [];
    while (left > 0) {
      left -= 1;
      seen.push(await follow());
    }
    return seen;
  };
  const seen = (await Promise.all(Array.from({ length: 20 }, followMany))).flat();
  return { seen, asked };
}

/** The states of a call with one retry. A retry that is due is queued, and runs, once more. */
export const order = /^(queued )?(running )?(retrying )?(queued )?(running )?succeeded$/;
