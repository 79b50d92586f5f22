import type { AppName, Node } from '@asyncfn/stack';
import { integerBelow, pickFrom, type Random, type TcpProxy } from '@asyncfn/testkit';
import { type Fault, someTime } from './fault.ts';

const spanMs = [1_000, 9_000] as const;

/** Faults of the connections between processes. */
export const networkFaults: readonly Fault[] = [
  onSeat('cut off worker', 'worker', 'its own', (line) => line.cut()),
  onSeat('cut off gateway', 'gateway', 'none', (line) => line.cut()),
  onSeat('partition worker', 'worker', 'its own', (line) => line.stall()),
  onSeat('partition gateway', 'gateway', 'none', (line) => line.stall()),
  onNode('cut off NATS', (line) => line.cut()),
  onNode('partition NATS', (line) => line.stall()),
  {
    ...onNode(
      'isolate NATS',
      (line) => line.stall(),
      ({ links }) => links,
    ),
    nodes: 3,
  },
  {
    name: 'slow network',
    // Far below a lease.
    breaksLeases: 'none',
    aim({ fleet, random }) {
      const ms = 20 + integerBelow(random, 150);
      const lines = [...fleet.gateways, ...fleet.workers].flatMap((seat) => seat.lines);
      return { target: `${ms} ms on every line`, run: () => during(random, lines, (line) => line.delay(ms)) };
    },
  },
];

function onSeat(
  name: string,
  app: AppName,
  breaksLeases: Fault['breaksLeases'],
  breakLine: (line: TcpProxy) => void,
): Fault {
  return {
    name,
    breaksLeases,
    aim({ fleet, random }) {
      const seat = pickFrom(random, app === 'gateway' ? fleet.gateways : fleet.workers);
      return { target: seat.name, run: () => during(random, seat.lines, breakLine) };
    },
  };
}

function onNode(
  name: string,
  breakLine: (line: TcpProxy) => void,
  linesOf = ({ lines }: Node): readonly TcpProxy[] => lines,
): Fault {
  return {
    name,
    breaksLeases: 'all',
    aim({ fleet, random }) {
      const node = pickFrom(random, fleet.nodes);
      return { target: node.name, run: () => during(random, linesOf(node), breakLine) };
    },
  };
}

async function during(random: Random, lines: readonly TcpProxy[], breakLine: (line: TcpProxy) => void): Promise<void> {
  for (const line of lines) {
    breakLine(line);
  }
  await someTime(random, ...spanMs);
  for (const line of lines) {
    line.heal();
  }
}
