import { drainFigures, draining, warm } from '../measuring/index.ts';
import { limitCpus } from '../processes/index.ts';
import type { Absence, Scale, Scenario, Subject } from '../scenario.ts';
import {
  type RunOptions,
  type System,
  type SystemOptions,
  startAsyncfn,
  startBenchFunction,
  startBullmq,
  startFloor,
} from '../systems/index.ts';

type AsyncfnRun = RunOptions & { readonly workers: number };
type Start = (run: RunOptions) => Promise<System | Absence>;

/** A subject with a function of its own. */
export function drainSubject(name: string, slots: number, scale: Scale, start: Start): Subject {
  return {
    name,
    async start() {
      const target = await startBenchFunction();
      const system = await start({ worker: { functionUrl: target.url, slots } });
      return draining(system, target, scale);
    },
  };
}

/** How fast a backlog drains, against a function that does nothing. */
export function drainScenario(options: SystemOptions): Scenario {
  return {
    name: 'drain',
    title: 'Drain: calls that wait, run against a function that does nothing',
    figures: drainFigures,
    reference: 'floor',
    cases: (scale) =>
      scale.degrees.map((slots) => ({
        name: `${slots} slots`,
        subjects: [
          drainSubject('asyncfn', slots, scale, (run) => startAsyncfn({ ...options, ...run })),
          drainSubject('floor', slots, scale, (run) => startFloor(options, run)),
          drainSubject('bullmq', slots, scale, (run) => startBullmq('minimal', run)),
          drainSubject('bullmq, equal', slots, scale, (run) => startBullmq('equal', run)),
        ].map((subject) => warm(subject, scale)),
      })),
  };
}

/** What more workers gain. */
export function workersScenario(options: SystemOptions): Scenario {
  return {
    name: 'workers',
    title: 'Drain with 1, 2 and 3 workers of 64 slots',
    figures: drainFigures,
    reference: '1 worker',
    cases: (scale) => [
      { name: '', subjects: workerSubjects(scale, (run) => startAsyncfn({ ...options, ...run })) },
      {
        name: 'a quarter of a core for each worker',
        subjects: workerSubjects(scale, async (run) => limitWorkers(await startAsyncfn({ ...options, ...run }), 0.25)),
      },
    ],
  };
}

function workerSubjects(scale: Scale, start: (run: AsyncfnRun) => Promise<System | Absence>): Subject[] {
  return [1, 2, 3].map((workers) => {
    const name = workers === 1 ? '1 worker' : `${workers} workers`;
    return warm(
      drainSubject(name, 64, scale, (run) => start({ ...run, workers })),
      scale,
    );
  });
}

/** A small machine shows what each worker adds only if a worker cannot use all of it. */
async function limitWorkers(system: System, cpus: number): Promise<System | Absence> {
  try {
    const quotas = await Promise.all(system.workerPids.map((pid) => limitCpus(pid, cpus)));
    return {
      ...system,
      async [Symbol.asyncDispose]() {
        await system[Symbol.asyncDispose]();
        await Promise.all(quotas.map((quota) => quota[Symbol.asyncDispose]()));
      },
    };
  } catch (error) {
    await system[Symbol.asyncDispose]();
    return { absent: error instanceof Error ? error.message : String(error) };
  }
}

/** What many functions cost: each has a consumer of its own. */
export function functionsScenario(options: SystemOptions): Scenario {
  return {
    name: 'functions',
    title: 'Drain at 64 slots, the calls spread over many functions',
    figures: drainFigures,
    reference: '1 function',
    cases: (scale) => [
      {
        name: '',
        subjects: scale.functionCounts.map((functions) => {
          const name = functions === 1 ? '1 function' : `${functions} functions`;
          return warm(
            drainSubject(name, 64, scale, (run) => startAsyncfn({ ...options, ...run, functions })),
            scale,
          );
        }),
      },
    ],
  };
}
