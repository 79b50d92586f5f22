import { warm } from '../measuring/index.ts';
import { neighbourName, SharedSystem } from '../neighbours/index.ts';
import type { Measurement, RunningSubject, Scale, Scenario } from '../scenario.ts';
import type { SystemOptions } from '../systems/index.ts';

const perSecond = 100;

/**
 * The cost of an id or a key that a client chooses: the gateway claims it and looks for it before it stores the call.
 */
export function chosenIdsScenario(options: SystemOptions): Scenario {
  const headers = { none: undefined, 'X-Call-Id': 'X-Call-Id', 'Idempotency-Key': 'Idempotency-Key' };
  return {
    name: 'chosen-ids',
    title: `Ids and keys that clients choose: POST until 202 at a steady ${perSecond}/s`,
    figures: [{ name: 'p50 ms', compared: true }, { name: 'p99 ms' }],
    reference: 'none',
    cases: (scale) => [
      {
        name: `${perSecond} calls/s`,
        subjects: Object.entries(headers).map(([name, header]) =>
          warm({ name, start: () => startSteady(options, scale, header) }, scale),
        ),
      },
    ],
  };
}

async function startSteady(
  options: SystemOptions,
  { durationMs }: Scale,
  nonceHeader: string | undefined,
): Promise<RunningSubject> {
  const system = await SharedSystem.start(options, false);
  const { stack, neighbour } = system;
  const settings = { gatewayUrl: stack.gateway.url, token: neighbourName, name: neighbourName, perSecond, durationMs };
  return {
    async measure(): Promise<Measurement> {
      const service = await neighbour.measure({ ...settings, ...(nonceHeader !== undefined && { nonceHeader }) });
      return { 'p50 ms': service.acceptP50Ms, 'p99 ms': service.acceptP99Ms };
    },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}
