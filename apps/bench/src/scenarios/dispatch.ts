import { type FunctionEntries, fillQueues, type Stack, startStack } from '@asyncfn/stack';
import { eventually, jainIndex, Occupancy, sleep, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import type { Case, Measurement, RunningSubject, Scale, Scenario, Subject } from '../scenario.ts';
import type { SystemOptions } from '../systems/index.ts';

const callMs = 200;

/** How well the worker uses what functions can take. Each case stands beside the best possible result. */
export function dispatchScenarios(options: SystemOptions): Scenario[] {
  const common = { reference: 'ideal' };
  return [
    {
      ...common,
      name: 'burn-down',
      title: 'Burn down: calls of 200 ms at a function that takes 50 at once and answers 429 beyond',
      figures: [{ name: 'seconds', compared: true }, { name: 'rejected %' }],
      cases: (scale) => [burnDown(options, scale)],
    },
    {
      ...common,
      name: 'capacity',
      title: 'Capacity: a function of 200 ms takes 10 at once, then 50, then 20',
      figures: [{ name: 'calls', compared: true }, { name: 'rejected %' }],
      cases: (scale) => [changingCapacity(options, scale)],
    },
    {
      ...common,
      name: 'cap',
      title: 'Cap: concurrency 10 over 3 workers, in stretches of 200 ms while work waits',
      figures: [{ name: 'at once, most' }, { name: 'at once, mean', compared: true }, { name: 'least stretch' }],
      cases: (scale) => [capped(options, scale)],
    },
    {
      ...common,
      name: 'fairness',
      title:
        "Fairness: 20 functions of 20 ms to 3 s, equal backlogs, 100 slots; Jain's index of the calls at the functions",
      figures: [{ name: 'index', compared: true }],
      cases: (scale) => [fairness(options, scale)],
    },
  ];
}

function burnDown(options: SystemOptions, { dispatchShare }: Scale): Case {
  const calls = 1_500 * dispatchShare;
  const capacity = 50;
  const run = async (settings: object): Promise<Measurement> => {
    await using watched = await watch(callMs, () => capacity);
    await using stack = await stackFor(options, { sleepy: { url: watched.fn.url, ...settings } }, { sleepy: calls });
    await stack.startWorker({ MAX_INFLIGHT: '100' });
    await watched.fn.waitForInvocations(calls, 120_000);
    await stack.untilSettled(120_000);
    const { from, to } = watched.occupancy.span;
    return { seconds: (to - from) / 1_000, 'rejected %': watched.rejectedPercent };
  };
  const greedyRetry = { attempts: 1_000, minWait: '1s', maxWait: '12s' }; // OpenFaaS's default, time scaled
  return {
    name: `${calls} calls, 100 slots`,
    subjects: [
      ideal({ seconds: (calls * callMs) / capacity / 1_000, 'rejected %': 0 }),
      subject('adaptive', () => run({})),
      subject('adaptive: false', () => run({ adaptive: false, retry: greedyRetry })),
    ],
  };
}

function changingCapacity(options: SystemOptions, { dispatchShare }: Scale): Case {
  const phases = [10, 50, 20];
  const phaseMs = 4_000 * dispatchShare;
  const run = async (): Promise<Measurement> => {
    let startedAt = Number.POSITIVE_INFINITY;
    const capacity = (): number => {
      startedAt = Math.min(startedAt, performance.now());
      return phases[Math.floor((performance.now() - startedAt) / phaseMs)] ?? 0;
    };
    await using watched = await watch(callMs, capacity);
    await using stack = await stackFor(options, { scaled: watched.fn.url }, { scaled: 2_500 * dispatchShare });
    const worker = await stack.startWorker({ MAX_INFLIGHT: '100' });
    await eventually(() => performance.now() - startedAt > phases.length * phaseMs, { timeoutMs: 60_000 });
    await worker[Symbol.asyncDispose]();
    const { length } = watched.fn.invocations;
    return { calls: length - watched.occupancy.refused, 'rejected %': watched.rejectedPercent };
  };
  const most = phases.reduce((sum, capacity) => sum + (capacity * phaseMs) / callMs, 0);
  return {
    name: `each for ${phaseMs / 1_000} s, 100 slots`,
    subjects: [ideal({ calls: most, 'rejected %': 0 }), subject('adaptive', run)],
  };
}

function capped(options: SystemOptions, { dispatchShare }: Scale): Case {
  const calls = 800 * dispatchShare;
  const concurrency = 10;
  const run = async (): Promise<Measurement> => {
    await using watched = await watch(callMs);
    await using stack = await stackFor(options, { capped: { url: watched.fn.url, concurrency } }, { capped: calls });
    await Promise.all([stack.startWorker(), stack.startWorker(), stack.startWorker()]);
    await watched.fn.waitForInvocations(calls, 120_000);
    const { occupancy } = watched;
    const [from, to] = [occupancy.span.from + 1_000 * dispatchShare, occupancy.span.to - 500 * dispatchShare];
    return {
      'at once, most': occupancy.most,
      'at once, mean': occupancy.mean(from, to),
      'least stretch': Math.min(...occupancy.means(from, to, 200)),
    };
  };
  const best = { 'at once, most': concurrency, 'at once, mean': concurrency, 'least stretch': concurrency };
  return { name: '3 workers', subjects: [ideal(best), subject('asyncfn', run)] };
}

function fairness(options: SystemOptions, { dispatchShare }: Scale): Case {
  const settleMs = 1_000 * dispatchShare;
  const measuredMs = 4_000 * dispatchShare;
  const durations = Array.from({ length: 20 }, (_, index) => Math.round(20 * 1.3 ** index));
  const run = async (): Promise<Measurement> => {
    const watched = await Promise.all(durations.map((ms) => watch(ms)));
    const functions = Object.fromEntries(watched.map(({ fn }, index) => [`f${index}`, fn.url]));
    const backlogs = Object.fromEntries(watched.map((_, index) => [`f${index}`, 1_500 * dispatchShare]));
    try {
      await using stack = await stackFor(options, functions, backlogs);
      const worker = await stack.startWorker({ MAX_INFLIGHT: '100' });
      await eventually(() => watched.every(({ occupancy }) => occupancy.count > 0));
      const from = performance.now() + settleMs;
      await eventually(() => performance.now() > from + measuredMs);
      await worker[Symbol.asyncDispose]();
      return { index: jainIndex(watched.map(({ occupancy }) => occupancy.mean(from, from + measuredMs))) };
    } finally {
      await Promise.all(watched.map((each) => each[Symbol.asyncDispose]()));
    }
  };
  return { name: '20 functions', subjects: [ideal({ index: 1 }), subject('asyncfn', run)] };
}

interface Watched extends AsyncDisposable {
  readonly fn: TestFunction;
  readonly occupancy: Occupancy;
  readonly rejectedPercent: number;
}

/** A function that takes this long for a call. */
async function watch(ms: number, capacity?: () => number): Promise<Watched> {
  const occupancy = new Occupancy();
  const fn = await startTestFunction({ handler: occupancy.follow(sleep(ms), capacity), keepBodies: false });
  return {
    fn,
    occupancy,
    get rejectedPercent() {
      return (100 * occupancy.refused) / fn.invocations.length;
    },
    [Symbol.asyncDispose]: () => fn[Symbol.asyncDispose](),
  };
}

/** A stack without workers, with waiting calls. */
async function stackFor(
  { natsServerBin }: SystemOptions,
  functions: FunctionEntries,
  calls: Readonly<Record<string, number>>,
): Promise<Stack> {
  const stack = await startStack({ natsServerBin, functions, workers: 0, logs: 'file' });
  await fillQueues(stack, calls);
  return stack;
}

/** A subject that starts again for each round. */
function subject(name: string, measure: () => Promise<Measurement>): Subject {
  return { name, start: () => Promise.resolve(runningOnce(measure)) };
}

function ideal(measurement: Measurement): Subject {
  return subject('ideal', () => Promise.resolve(measurement));
}

function runningOnce(measure: () => Promise<Measurement>): RunningSubject {
  return { measure, [Symbol.asyncDispose]: () => Promise.resolve() };
}
