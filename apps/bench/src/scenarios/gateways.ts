import { loadFigures } from '../load/index.ts';
import { underLoad, warm } from '../measuring/index.ts';
import type { Scenario } from '../scenario.ts';
import { type SystemOptions, startAsyncfn } from '../systems/index.ts';

/** What `PROCESSES` gains. The CPU time of the gateways is left out: it is spread over their processes. */
export function gatewaysScenario(options: SystemOptions): Scenario {
  return {
    name: 'gateways',
    title: 'Accept with one and two gateways on one port (`PROCESSES`)',
    figures: loadFigures.filter(({ name }) => !name.startsWith('gateway')),
    reference: '1 process',
    cases: (scale) => [
      {
        name: `${scale.connections} connections, 256 B`,
        subjects: [1, 2].map((count) => {
          const start = async () => {
            const system = await startAsyncfn({ ...options, gatewayEnv: { PROCESSES: String(count) } });
            return underLoad(system, scale, { connections: scale.connections, bodyBytes: 256 });
          };
          return warm({ name: count === 1 ? '1 process' : `${count} processes`, start }, scale);
        }),
      },
    ],
  };
}
