import type { Fault } from './fault.ts';
import { killAndFollow } from './process-faults.ts';

/** What operators do to functions, at the worst moment. */
export const functionFaults: readonly Fault[] = [
  {
    /**
     * All workers die while they hold calls of the function that have ended and whose callbacks are under way. These
     * calls stay in their queue while the function is paused, which is longer than ends are kept.
     */
    name: 'pause function',
    breaksLeases: 'all',
    aim(context) {
      const { fleet, naps } = context;
      return {
        target: 'all workers',
        async run() {
          await naps.begin();
          await Promise.all(fleet.workers.map((seat) => killAndFollow(seat, context)));
        },
      };
    },
  },
];
