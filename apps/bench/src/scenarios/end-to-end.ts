import { warm } from '../measuring/index.ts';
import type { Measurement, RunningSubject, Scale, Scenario } from '../scenario.ts';
import {
  runSteady,
  type SteadyResult,
  type SystemOptions,
  signingSecret,
  startAsyncfn,
  startBenchFunction,
} from '../systems/index.ts';

const perSecond = 200;

/** How long a call takes from its POST to its callback while nothing is busy, and what a signature adds. */
export function endToEndScenario(options: SystemOptions): Scenario {
  const variants = { asyncfn: {}, 'with signed callbacks': { CALLBACK_SIGNING_SECRETS: signingSecret } };
  return {
    name: 'end-to-end',
    title: `End to end: POST to callback at a steady ${perSecond}/s, and its parts, each alone at the same rate`,
    figures: [
      { name: 'p50 ms', compared: true },
      { name: 'p99 ms' },
      { name: 'accept p50 ms' },
      { name: 'function p50 ms' },
      { name: 'callback p50 ms' },
      { name: 'p50 − parts ms' },
      { name: 'p99 ÷ p50' },
    ],
    reference: 'asyncfn',
    cases: (scale) => [
      {
        name: `${perSecond} calls/s`,
        subjects: Object.entries(variants).map(([name, workerEnv]) =>
          warm({ name, start: () => startSteady(options, scale, workerEnv) }, scale),
        ),
      },
    ],
  };
}

async function startSteady(
  options: SystemOptions,
  { durationMs }: Scale,
  workerEnv: Readonly<Record<string, string>>,
): Promise<RunningSubject> {
  const target = await startBenchFunction();
  const system = await startAsyncfn({ ...options, workerEnv, worker: { functionUrl: target.url, slots: 64 } });
  const { intake, gatewayUrl } = system;
  const settings = { gatewayUrl, path: intake.paths[0] ?? '', functionUrl: target.url };
  return {
    measure: async () => toMeasurement(await runSteady({ ...settings, perSecond, durationMs })),
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

function toMeasurement({ p50Ms, p99Ms, acceptMs, functionMs, callbackMs }: SteadyResult): Measurement {
  return {
    'p50 ms': p50Ms,
    'p99 ms': p99Ms,
    'accept p50 ms': acceptMs,
    'function p50 ms': functionMs,
    'callback p50 ms': callbackMs,
    'p50 − parts ms': p50Ms - acceptMs - functionMs - callbackMs,
    'p99 ÷ p50': p99Ms / p50Ms,
  };
}
