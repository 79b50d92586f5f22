import { api, read } from '../api/index.ts';
import { History, Live } from '../live/index.ts';

export type Queue = Awaited<ReturnType<typeof readQueues>>[number];

const everyMs = 2_000;

/** The histories of more queues are not kept. */
const mostHistories = 50;

const histories = new Map<string, History>();

/** All queues. The frame of the console follows them as well, to notice that the broker is away. */
export const liveQueues = new Live(readAndRemember, { everyMs });

/** In and out a second, and waiting calls, since the console was opened. */
export function historyOf(queue: string): History {
  return histories.get(queue) ?? new History(3);
}

async function readQueues(signal: AbortSignal) {
  const { queues } = await read(api.GET('/system/queues', { signal }));
  return queues;
}

async function readAndRemember(signal: AbortSignal): Promise<readonly Queue[]> {
  const queues = await readQueues(signal);
  const now = Date.now();
  const names = new Set(queues.map(({ queue }) => queue));
  for (const name of histories.keys()) {
    if (!names.has(name)) {
      histories.delete(name);
    }
  }
  for (const { queue, rates, depth } of queues.slice(0, mostHistories)) {
    const history = histories.get(queue) ?? new History(3);
    history.add(now, [rates.inPerSecond, rates.outPerSecond, depth]);
    histories.set(queue, history);
  }
  return queues;
}
