import { pickFrom } from '@asyncfn/testkit';
import type { Fault } from './fault.ts';

const streams = ['CALLS_default', 'CALLS_bulk', 'OUTCOMES', 'CALLBACKS'];

/** Faults of JetStream itself. */
export const brokerFaults: readonly Fault[] = [
  {
    name: 'step down leader',
    breaksLeases: 'all',
    nodes: 3,
    aim({ look, random }) {
      const stream = pickFrom(random, streams);
      return {
        target: stream,
        async run() {
          await look.stepDown(stream);
        },
      };
    },
  },
];
