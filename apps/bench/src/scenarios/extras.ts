import { eventually } from '@asyncfn/testkit';
import { loadFigures } from '../load/index.ts';
import { drainFigures, draining, underLoad, warm } from '../measuring/index.ts';
import type { Absence, RunningSubject, Scale, Scenario, Subject } from '../scenario.ts';
import {
  asShipped,
  type BenchFunction,
  type Extra,
  type SystemOptions,
  scraping,
  signing,
  silence,
  startAsyncfn,
  startBenchFunction,
  tokens,
  tracing,
} from '../systems/index.ts';

type OpenExtra = () => Promise<Extra>;
type Start = (extra: Extra) => Promise<RunningSubject | Absence>;

const slots = 64;

/** Counting metrics is not measured, because metrics cannot be switched off. Reading them is. */
const ofBoth = { tracing, 'LOG_LEVEL=silent': silence, 'scraped every second': scraping };

export function gatewayExtrasScenario(options: SystemOptions): Scenario {
  return {
    name: 'gateway-extras',
    title: 'What extras cost the gateway: accept',
    figures: loadFigures.map((figure) => ({ ...figure, compared: figure.name === 'gateway µs/call' })),
    reference: 'as shipped',
    cases: (scale) => [
      {
        name: `${scale.connections} connections, 256 B`,
        subjects: toSubjects(scale, { tokens, ...ofBoth }, (extra) => startAccepting(options, scale, extra)),
      },
    ],
  };
}

/** The same for the worker, with a callback for each call. */
export function workerExtrasScenario(options: SystemOptions): Scenario {
  return {
    name: 'worker-extras',
    title: `What extras cost the worker: drain at ${slots} slots, each call with a callback`,
    figures: drainFigures.map((figure) => ({ ...figure, compared: figure.name === 'worker µs/call' })),
    reference: 'as shipped',
    cases: (scale) => [
      {
        name: '',
        subjects: toSubjects(scale, { 'signed callbacks': signing, ...ofBoth }, (extra) =>
          startDraining(options, scale, extra),
        ),
      },
    ],
  };
}

function toSubjects(scale: Scale, extras: Readonly<Record<string, OpenExtra>>, start: Start): Subject[] {
  return Object.entries({ 'as shipped': asShipped, ...extras }).map(([name, open]) =>
    warm({ name, start: async () => start(await open()) }, scale),
  );
}

async function startAccepting(options: SystemOptions, scale: Scale, extra: Extra) {
  const system = await startAsyncfn({ ...options, gatewayEnv: extra.env });
  extra.begin(system.metricsUrls);
  const shape = { connections: scale.connections, bodyBytes: 256, headers: extra.headers };
  return followedBy(underLoad(system, scale, shape), () => extra.verify(), [extra]);
}

async function startDraining(options: SystemOptions, scale: Scale, extra: Extra) {
  const target = await startBenchFunction();
  const receiver = await startBenchFunction();
  // All callbacks go to one receiver, whose share must not be the limit.
  const workerEnv = { CALLBACK_MAX_PER_HOST: String(slots), ...extra.env };
  const system = await startAsyncfn({ ...options, worker: { functionUrl: target.url, slots }, workerEnv });
  extra.begin(system.metricsUrls);
  const verify = async (): Promise<void> => {
    await untilCalledBack(target, receiver);
    await extra.verify();
  };
  const subject = await draining(system, target, scale, { headers: { 'X-Callback-Url': receiver.url } });
  return followedBy(subject, verify, [receiver, extra]);
}

/** If the worker is held up, a waiting callback is late and is stored: more work than usual. */
async function untilCalledBack(target: BenchFunction, receiver: BenchFunction): Promise<void> {
  await eventually(async () => (await receiver.report()).count >= (await target.report()).count, {
    timeoutMs: 60_000,
    message: 'not every call is called back',
  });
  await receiver.reset();
}

/** @param others end after the subject */
function followedBy(
  subject: RunningSubject | Absence,
  check: () => Promise<void>,
  others: readonly AsyncDisposable[],
): RunningSubject | Absence {
  if ('absent' in subject) {
    return subject;
  }
  return {
    async measure() {
      const measurement = await subject.measure();
      await check();
      return measurement;
    },
    async [Symbol.asyncDispose]() {
      for (const each of [subject, ...others]) {
        await each[Symbol.asyncDispose]();
      }
    },
  };
}
