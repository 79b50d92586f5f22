import { setTimeout as delay } from 'node:timers/promises';
import { cpuMicros, residentMiB } from '../processes/index.ts';
import { sendPings } from '../references/index.ts';
import type { Measurement, RunningSubject, Scale, Scenario } from '../scenario.ts';
import { type AsyncfnSystem, type SystemOptions, startAsyncfn } from '../systems/index.ts';

const pings = 5_000;
/** How often a worker pings its broker. */
const pingsPerSecond = 4;

/** The cost of the processes while no function is called, and the share of the worker's pings in it. */
export function idleScenario(options: SystemOptions): Scenario {
  return {
    name: 'idle',
    title: 'Idle: CPU time and memory while nothing is called, and CPU time of pings to the broker',
    figures: [
      { name: 'worker %' },
      { name: 'broker %' },
      { name: 'pings: worker %' },
      { name: 'pings: broker %' },
      { name: 'gateway MiB' },
      { name: 'worker MiB' },
    ],
    reference: 'asyncfn',
    cases: (scale) => [
      { name: 'one function', subjects: [{ name: 'asyncfn', start: () => startIdle(options, scale) }] },
    ],
  };
}

async function startIdle(options: SystemOptions, { durationMs }: Scale): Promise<RunningSubject> {
  const system = await startAsyncfn({ ...options, worker: { functionUrl: 'http://127.0.0.1:9', slots: 64 } });
  return {
    measure: async () => ({ ...(await measureIdle(system, 2 * durationMs)), ...(await measurePings(system)) }),
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}

async function measureIdle({ workerPids, pids }: AsyncfnSystem, ms: number): Promise<Measurement> {
  const processes = [workerPids[0] ?? Number.NaN, pids['broker'] ?? Number.NaN];
  const before = await Promise.all(processes.map(cpuMicros));
  await delay(ms);
  const after = await Promise.all(processes.map(cpuMicros));
  const [worker = Number.NaN, broker = Number.NaN] = after.map((micros, index) =>
    percentOf((micros ?? Number.NaN) - (before[index] ?? Number.NaN), ms * 1_000),
  );
  return {
    'worker %': worker,
    'broker %': broker,
    'gateway MiB': await residentMiB(pids['gateway'] ?? 0),
    'worker MiB': await residentMiB(workerPids[0] ?? 0),
  };
}

async function measurePings({ natsUrl, pids }: AsyncfnSystem): Promise<Measurement> {
  const broker = pids['broker'] ?? Number.NaN;
  const before = { own: process.cpuUsage(), broker: (await cpuMicros(broker)) ?? Number.NaN };
  await sendPings(natsUrl, pings);
  const own = process.cpuUsage(before.own);
  const ofBroker = ((await cpuMicros(broker)) ?? Number.NaN) - before.broker;
  const perPing = (micros: number): number => percentOf((micros / pings) * pingsPerSecond, 1_000_000);
  return { 'pings: worker %': perPing(own.user + own.system), 'pings: broker %': perPing(ofBroker) };
}

function percentOf(micros: number, all: number): number {
  return (100 * micros) / all;
}
