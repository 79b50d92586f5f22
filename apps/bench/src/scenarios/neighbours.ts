import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type AttackName, attacks } from '@asyncfn/stack';
import { neighbourName, type Service, SharedSystem } from '../neighbours/index.ts';
import type { Case, Measurement, RunningSubject, Scale, Scenario, Subject } from '../scenario.ts';
import type { SystemOptions } from '../systems/index.ts';

const usualRate = 100;
/** Calls a second beside these attacks, instead of the usual rate. */
const rates: Partial<Record<AttackName, number>> = { '8 bodies of 64 MiB at a time': 500 };
/** How long an attack takes to use up its shares, and how long until nothing of it is left. */
const settleMs = 500;

/** How much one caller can harm another: the calls of the other one, beside those in a quiet system. */
export function neighboursScenario(options: SystemOptions): Scenario {
  return {
    name: 'neighbours',
    title: `Neighbours: ${usualRate} calls/s of one caller (500 beside large bodies), while another one does this every second`,
    figures: [
      { name: 'accept p50 ms', compared: true },
      { name: 'accept p99 ms', compared: true },
      { name: 'call p50 ms', compared: true },
      { name: 'call p99 ms', compared: true },
      { name: 'callback p50 ms', compared: true },
      { name: 'callback p99 ms', compared: true },
      { name: 'lost' },
      { name: 'cores busy' },
    ],
    reference: 'quiet',
    cases: (scale) => Object.keys(attacks).map((name) => toCase(options, scale, name as AttackName)),
  };
}

/** Both subjects use one system, which ends with the last of them. */
function toCase(options: SystemOptions, scale: Scale, name: AttackName): Case {
  let users = 0;
  let started: Promise<SharedSystem> | undefined;
  const subject = (title: string, measure: (system: SharedSystem) => Promise<Measurement>): Subject => ({
    name: title,
    async start(): Promise<RunningSubject> {
      started ??= startWarm(options, scale, name);
      const system = await started;
      users += 1;
      return {
        measure: () => measure(system),
        async [Symbol.asyncDispose]() {
          users -= 1;
          await (users === 0 ? system[Symbol.asyncDispose]() : undefined);
        },
      };
    },
  });
  return {
    name,
    subjects: [
      subject('quiet', (system) => measure(name, system, scale)),
      subject('beside it', (system) => measureUnder(name, system, scale)),
    ],
  };
}

async function startWarm(options: SystemOptions, scale: Scale, name: AttackName): Promise<SharedSystem> {
  const system = await SharedSystem.start(options, name.includes('invented'));
  await attackWhile(name, system, () => delay(scale.durationMs));
  await measure(name, system, scale);
  return system;
}

async function measureUnder(name: AttackName, system: SharedSystem, scale: Scale): Promise<Measurement> {
  return await attackWhile(name, system, async () => {
    await delay(settleMs);
    return await measure(name, system, scale);
  });
}

/** Removes everything that the attack has left. */
async function attackWhile<T>(name: AttackName, system: SharedSystem, work: () => Promise<T>): Promise<T> {
  const { attacker, stack } = system;
  await attacker.begin(name, { gatewayUrl: stack.gateway.url, token: system.nextToken() });
  const result = await work();
  await attacker.end();
  await system.clear();
  await delay(settleMs);
  return result;
}

async function measure(
  attack: AttackName,
  { neighbour, stack }: SharedSystem,
  { durationMs }: Scale,
): Promise<Measurement> {
  const perSecond = rates[attack] ?? usualRate;
  const settings = { gatewayUrl: stack.gateway.url, token: neighbourName, name: neighbourName };
  const before = busyMs();
  const startedAt = performance.now();
  const service = await neighbour.measure({ ...settings, perSecond, durationMs });
  return { ...toFigures(service), 'cores busy': (busyMs() - before) / (performance.now() - startedAt) };
}

/** How long all cores together have worked, for any process. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

function toFigures(service: Service): Measurement {
  return {
    'accept p50 ms': service.acceptP50Ms,
    'accept p99 ms': service.acceptP99Ms,
    'call p50 ms': service.callP50Ms,
    'call p99 ms': service.callP99Ms,
    'callback p50 ms': service.callbackP50Ms,
    'callback p99 ms': service.callbackP99Ms,
    lost: service.lost,
  };
}
