import { setTimeout as delay } from 'node:timers/promises';
import { cpuMicros } from '../processes/index.ts';
import { percentile } from '../statistics.ts';
import type { LoadResult, LoadSettings } from './load.ts';
import { RawConnection, toRequest } from './raw-connection.ts';

/** Puts load on a server, prints the figures, and ends. */
const settings = JSON.parse(process.argv[2] ?? '') as LoadSettings;
process.stdout.write(`${JSON.stringify(await measure(settings))}\n`);

async function measure({ warmUpMs, durationMs, pids, ...shape }: LoadSettings): Promise<LoadResult> {
  const latencies: number[] = [];
  let refused = 0;
  let total = 0;
  let isCounting = false;
  const onAnswer = (status: number, tookMs: number): void => {
    total += status === 202 ? 1 : 0;
    if (!isCounting) {
      return;
    }
    if (status === 202) {
      latencies.push(tookMs);
    } else {
      refused += 1;
    }
  };
  const connections = connectAll(shape, onAnswer);
  const ended = Promise.all(connections.map((connection) => connection.ended));
  await Promise.race([delay(warmUpMs), ended]);
  const before = await readCpu(pids);
  const startedAt = performance.now();
  isCounting = true;
  await Promise.race([delay(durationMs), ended]);
  isCounting = false;
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await readCpu(pids);
  for (const connection of connections) {
    connection.stop();
  }
  await ended;
  const accepted = latencies.length;
  return {
    accepted,
    total,
    refused,
    seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMicros: Object.fromEntries(Object.keys(pids).map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)])),
  };
}

function connectAll(
  { port, connections, paths, keys = 0, ...shape }: Omit<LoadSettings, 'warmUpMs' | 'durationMs' | 'pids'>,
  onAnswer: (status: number, tookMs: number) => void,
): RawConnection[] {
  const requests = paths.flatMap((path) =>
    keys === 0
      ? [toRequest({ ...shape, path })]
      : Array.from({ length: keys }, (_, key) =>
          toRequest({ ...shape, path, headers: { ...shape.headers, 'X-Flow-Key': `key-${key}` } }),
        ),
  );
  let turn = 0;
  const next = (): Buffer => {
    turn = (turn + 1) % requests.length;
    return requests[turn] as Buffer;
  };
  return Array.from({ length: connections }, () => new RawConnection(port, next, onAnswer));
}

async function readCpu(pids: LoadSettings['pids']): Promise<Record<string, number>> {
  const entries = await Promise.all(
    Object.entries(pids).map(async ([name, pid]) => [name, (await cpuMicros(pid)) ?? Number.NaN] as const),
  );
  return Object.fromEntries(entries);
}
