import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '@asyncfn/stack';
import type { CallbackReceiver, TestFunction } from '@asyncfn/testkit';

/** The rounding error of a clock of whole milliseconds. */
export const grainMs = 5;

/** Between the calls of a caller who is no load. */
const betweenMs = 10;

/** Pauses between the requests of one call, in milliseconds. */
export function waitsMs(server: TestFunction | CallbackReceiver, callId: string): number[] {
  const times = server.byCallId(callId).map(({ at }) => at);
  return times.slice(1).map((at, index) => at - (times[index] ?? 0));
}

/** When the function was first called for the call: Unix time in milliseconds. */
export function startedAt(target: TestFunction, callId: string): number {
  return performance.timeOrigin + (target.byCallId(callId)[0]?.at ?? Number.NaN);
}

/** Makes one call after the other until it is `over`; each number is the time to its callback in milliseconds. */
export async function measureLatencies(
  client: ApiClient,
  name: string,
  inbox: CallbackReceiver,
  isOver: () => boolean,
): Promise<number[]> {
  const latencies: number[] = [];
  while (!isOver()) {
    const startedAt = performance.now();
    await client.accept(name, { callbackUrl: inbox.url });
    const callbacks = await inbox.waitForCallbacks(latencies.length + 1);
    latencies.push((callbacks.at(-1)?.at ?? Number.NaN) - startedAt);
    await sleep(betweenMs);
  }
  return latencies;
}

/** The value that this share of all is below; `share` from 0 to 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}
