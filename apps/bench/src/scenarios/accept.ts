import { loadFigures } from '../load/index.ts';
import { type LoadShape, underLoad, warm } from '../measuring/index.ts';
import type { Case, Scale, Scenario } from '../scenario.ts';
import { type SystemOptions, startAsyncfn, startBullmq, startFloor, startNatsAlone } from '../systems/index.ts';

/** How fast calls are accepted, and how long a caller waits for its 202. */
export function acceptScenario(options: SystemOptions): Scenario {
  return {
    name: 'accept',
    title: 'Accept: POST until 202',
    figures: loadFigures,
    reference: 'floor',
    cases: (scale) =>
      scale.bodySizes.flatMap((bodyBytes) =>
        scale.degrees.map((connections) => acceptCase(options, scale, { connections, bodyBytes })),
      ),
  };
}

function acceptCase(options: SystemOptions, scale: Scale, shape: LoadShape): Case {
  return {
    name: `${shape.connections} connections, ${shape.bodyBytes} B`,
    subjects: [
      { name: 'asyncfn', start: async () => underLoad(await startAsyncfn(options), scale, shape) },
      { name: 'floor', start: async () => underLoad(await startFloor(options), scale, shape) },
      { name: 'bullmq', start: async () => underLoad(await startBullmq('minimal'), scale, shape) },
      { name: 'bullmq, equal', start: async () => underLoad(await startBullmq('equal'), scale, shape) },
      { name: 'nats-server alone', start: () => startNatsAlone(options, scale, shape) },
    ].map((subject) => warm(subject, scale)),
  };
}

/** The same with every write on disk before its 202: groups against single publishes. */
export function durableAcceptScenario(options: SystemOptions): Scenario {
  const durable = { ...options, syncInterval: 'always' } as const;
  return {
    name: 'durable-accept',
    title: 'Accept with every write synced to disk (`sync_interval: always`, R1)',
    figures: loadFigures.map((figure) => ({ ...figure, compared: figure.compared || figure.name === 'p50 ms' })),
    reference: 'singly',
    cases: (scale) =>
      scale.degrees.map((connections) => ({
        name: `${connections} connections`,
        subjects: ['auto', 'off'].map((mode) => {
          const start = async () => {
            const system = await startAsyncfn({ ...durable, gatewayEnv: { GROUP_COMMIT: mode } });
            return underLoad(system, scale, { connections, bodyBytes: 256 });
          };
          return warm({ name: mode === 'auto' ? 'asyncfn' : 'singly', start }, scale);
        }),
      })),
  };
}
