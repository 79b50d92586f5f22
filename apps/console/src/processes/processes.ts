import { api, read } from '../api/index.ts';
import { Live } from '../live/index.ts';

type Processes = Awaited<ReturnType<typeof readProcesses>>;

export type Process = Processes['processes'][number];

/** What workers have learnt about a function. */
export type Learnt = Processes['functions'][number];

export const liveProcesses = new Live(readProcesses, { everyMs: 5_000 });

async function readProcesses(signal: AbortSignal) {
  return await read(api.GET('/system/processes', { signal }));
}
