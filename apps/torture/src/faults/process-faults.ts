import type { AppName, AppProcess, Node, Seat } from '@asyncfn/stack';
import { pickFrom, type Random } from '@asyncfn/testkit';
import { type Fault, type FaultContext, someTime } from './fault.ts';
import { untilHealthy } from './health.ts';

const readyMs = 60_000;
type Span = readonly [fromMs: number, toMs: number];

/** Pauses above and below the lease of 5 s that torture gives to workers. */
const pauseMs = [1_500, 9_000] as const;
const downMs = [200, 3_000] as const;

/** Faults of processes. */
export const processFaults: readonly Fault[] = [
  onSeat('kill worker', 'worker', 'its own', killAndFollow),
  onSeat('kill gateway', 'gateway', 'none', killAndFollow),
  pauseWorker(pauseMs),
  onSeat('pause gateway', 'gateway', 'none', (seat, context) => pauseSeat(seat, context, pauseMs)),
  onSeat('stop worker', 'worker', 'its own', stopAndFollow),
  onSeat('stop gateway', 'gateway', 'none', stopAndFollow),
  onNode('kill NATS', async (node, random) => {
    node.server.signal('SIGKILL');
    await node.server.exited;
    await someTime(random, ...downMs);
    await node.server.restart();
  }),
  onNode('pause NATS', async (node, random) => {
    await node.server.pause();
    await someTime(random, ...pauseMs);
    node.server.signal('SIGCONT');
  }),
  onNode('restart NATS', (node) => node.server.restart()),
  {
    name: 'rolling restart',
    breaksLeases: 'all',
    aim: (context) => ({ target: 'everything', run: () => restartAll(context) }),
  },
];

/** A worker is paused for a time between the two, in milliseconds. */
export function pauseWorker(spanMs: Span): Fault {
  return onSeat('pause worker', 'worker', 'its own', (seat, context) => pauseSeat(seat, context, spanMs));
}

function onSeat(
  name: string,
  app: AppName,
  breaksLeases: Fault['breaksLeases'],
  run: (seat: Seat, context: FaultContext) => Promise<void>,
): Fault {
  return {
    name,
    breaksLeases,
    aim(context) {
      const { fleet, random } = context;
      const seat = pickFrom(random, app === 'gateway' ? fleet.gateways : fleet.workers);
      return { target: seat.name, run: () => run(seat, context) };
    },
  };
}

function onNode(name: string, run: (node: Node, random: Random) => Promise<void>): Fault {
  return {
    name,
    breaksLeases: 'all',
    aim({ fleet, random }) {
      const node = pickFrom(random, fleet.nodes);
      return { target: node.name, run: () => run(node, random) };
    },
  };
}

/** Kills the process in the seat, and starts the next one a moment later. */
export async function killAndFollow(seat: Seat, { random }: FaultContext): Promise<void> {
  seat.process.kill('SIGKILL');
  await seat.process.exited;
  await someTime(random, ...downMs);
  await startReady(seat);
}

async function pauseSeat({ process }: Seat, { random }: FaultContext, spanMs: Span): Promise<void> {
  await process.pause();
  await someTime(random, ...spanMs);
  process.kill('SIGCONT');
}

async function stopAndFollow(seat: Seat, { log }: FaultContext): Promise<void> {
  await stop(seat.process, log);
  await startReady(seat);
}

/** A version of the product: the main modules of its apps. */
export type Version = { readonly [App in AppName]: URL };

/**
 * Replaces the processes one after the other by those of the newer version, and then by those of the older one again, in
 * the order of docs/upgrades.md. Both versions work side by side for some seconds.
 */
export function upgradeAndBack(older: Version, newer: Version): Fault {
  return {
    name: 'upgrade and back',
    breaksLeases: 'all',
    aim: ({ fleet: { gateways, workers }, log, random }) => ({
      target: 'gateways and workers',
      async run() {
        for (const [version, seats] of [
          [newer, [...workers, ...gateways]],
          [older, [...gateways, ...workers]],
        ] as const) {
          for (const seat of seats) {
            await stop(seat.process, log);
            const next = await seat.start(version[seat.app]);
            await next.untilReady(readyMs);
            await someTime(random, 500, 2_000);
          }
        }
      },
    }),
  };
}

/** Restarts one after the other, nodes first; each is ready before the next one stops. */
async function restartAll({ fleet: { nodes, gateways, workers }, log }: FaultContext): Promise<void> {
  for (const { server } of nodes) {
    await server.restart();
    await untilHealthy(server);
  }
  for (const seat of [...gateways, ...workers]) {
    await stop(seat.process, log);
    await startReady(seat);
  }
}

/**
 * A process that could not tell the broker everything in time says so with its exit code. The checker judges what
 * became of its calls.
 */
async function stop(process: AppProcess, log: FaultContext['log']): Promise<void> {
  const { code, signal } = await process.stop(60_000);
  if (code !== 0) {
    log(`${process.name} did not stop cleanly (${signal ?? `code ${code}`}):\n${process.tail}`);
  }
}

async function startReady(seat: Seat): Promise<void> {
  const process = await seat.start();
  await process.untilReady(readyMs);
}
