import { api, read } from '../api/index.ts';
import { Live } from '../live/index.ts';

/** A function with its load. */
export interface FunctionRow {
  readonly name: string;
  readonly queue: string;
  readonly url: string;
  readonly paused: boolean;
  readonly source: string;
  readonly pending: number;
  readonly running: number;
}

/** All registered functions, with the calls that they have in all queues. */
export const liveFunctions = new Live(readFunctions, { everyMs: 3_000 });

async function readFunctions(signal: AbortSignal): Promise<readonly FunctionRow[]> {
  const [{ functions }, { queues }] = await Promise.all([
    read(api.GET('/system/functions', { signal })),
    read(api.GET('/system/queues', { signal })),
  ]);
  const loads = await Promise.all(queues.map(({ queue }) => readLoads(queue, signal)));
  const pending = sumBy(loads.flat(), ({ depth }) => depth);
  const running = sumBy(loads.flat(), ({ inFlight }) => inFlight);
  return functions.map(({ name, queue, url, paused, source }) => ({
    name: String(name),
    queue: String(queue),
    url: String(url),
    paused: paused === true,
    source: String(source),
    pending: pending.get(String(name)) ?? 0,
    running: running.get(String(name)) ?? 0,
  }));
}

async function readLoads(queue: string, signal: AbortSignal) {
  const { functions } = await read(api.GET('/system/queues/{queue}', { params: { path: { queue } }, signal }));
  return functions;
}

function sumBy<T extends { readonly function: string }>(
  loads: readonly T[],
  of: (load: T) => number,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const load of loads) {
    sums.set(load.function, (sums.get(load.function) ?? 0) + of(load));
  }
  return sums;
}
