import { setTimeout as delay } from 'node:timers/promises';
import type { NatsServer } from '@asyncfn/nats-server';
import { type Fault, someTime } from './fault.ts';
import { isHealthy, untilHealthy } from './health.ts';

const fullMs = [3_000, 9_000] as const;
/** How long a container runtime lets a process stop before it kills it. */
const graceMs = 10_000;

/** Faults of disks. */
export const diskFaults: readonly Fault[] = [
  {
    name: 'fill disk of NATS',
    // Other nodes take over the streams and consumers that the node led.
    breaksLeases: 'all',
    needsDisk: true,
    // A single server keeps messages whose removal it could not write to the disk: docs/faults.md.
    nodes: 3,
    aim({ fleet, disk, random }) {
      const [node] = fleet.nodes;
      if (node === undefined || disk === undefined) {
        throw new Error('there is no disk to be filled');
      }
      return {
        target: node.name,
        async run() {
          await disk.fill();
          await someTime(random, ...fullMs);
          await disk.makeRoom();
          // A nats-server of a cluster switches JetStream off if its disk is full. It must be restarted once there is
          // room.
          if (!(await isHealthy(node.server))) {
            await startAgain(node.server);
          }
          await untilHealthy(node.server);
        },
      };
    },
  },
];

/**
 * As a supervisor does it: a nats-server that has switched JetStream off may hang while it stops (seen with 2.15.1).
 */
async function startAgain(server: NatsServer): Promise<void> {
  server.signal('SIGTERM');
  await Promise.race([server.exited, delay(graceMs)]);
  await server.restart({ signal: 'SIGKILL' });
}
