import type { AppName } from '@asyncfn/stack';
import { pickFrom } from '@asyncfn/testkit';
import { setClock } from '../rig/index.ts';
import { type Fault, someTime } from './fault.ts';

const spanMs = [1_000, 9_000] as const;

const jumpsMs = [2_000, 10_000, 60_000, 3_600_000, -2_000, -60_000, -3_600_000] as const;

/** Faults of clocks: a clock jumps, and jumps back. The clock of nats-server cannot be changed (docs/faults.md). */
export const clockFaults: readonly Fault[] = [
  jumpOf('jump clock of worker', 'worker'),
  jumpOf('jump clock of gateway', 'gateway'),
];

/** Leases use timers, which do not jump. */
function jumpOf(name: string, app: AppName): Fault {
  return {
    name,
    breaksLeases: 'none',
    aim({ fleet, random, clockFile }) {
      const seat = pickFrom(random, app === 'gateway' ? fleet.gateways : fleet.workers);
      const jumpMs = pickFrom(random, jumpsMs);
      return {
        target: `${seat.name}, ${Math.abs(jumpMs) / 1_000} s ${jumpMs > 0 ? 'forwards' : 'back'}`,
        jumpMs,
        async run() {
          await setClock(clockFile(seat.name), jumpMs);
          await someTime(random, ...spanMs);
          await setClock(clockFile(seat.name), 0);
        },
      };
    },
  };
}
