import { setTimeout as delay } from 'node:timers/promises';
import { CallClient } from '@asyncfn/stack';
import { type LoadResult, putLoad } from '../load/index.ts';
import { warm } from '../measuring/index.ts';
import { cpuMicros, residentMiB } from '../processes/index.ts';
import type { Measurement, Scale, Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';
import {
  type AsyncfnSystem,
  type BenchFunction,
  fillQueue,
  numberedCallId,
  type SystemOptions,
  startAsyncfn,
  startBenchFunction,
} from '../systems/index.ts';

const bodyBytes = 256;
const slots = 64;
/** More than a worker runs at once: an empty queue gets this many to look up and cancel, and this many to drain. */
const drainedPerMs = 10;

/** Whether a long queue makes anything slower or larger. */
export function backlogScenario(options: SystemOptions): Scenario {
  return {
    name: 'backlog',
    title: 'A long queue: rates, look-ups, cancels and memory with calls waiting',
    figures: [
      { name: 'accepted/s', compared: true },
      { name: 'drained/s', compared: true },
      { name: 'look-up p50 ms' },
      { name: 'look-up p99 ms' },
      { name: 'cancel p50 ms' },
      { name: 'cancel p99 ms' },
      { name: 'gateway MiB', compared: true },
      { name: 'worker MiB', compared: true },
      { name: 'broker MiB' },
      // Rates mean little on a machine that is also busy with other work; CPU time does not depend on it.
      { name: 'gateway µs/accept' },
      { name: 'broker µs/accept' },
      { name: 'worker µs/drain' },
      { name: 'broker µs/drain' },
    ],
    reference: 'empty',
    cases: (scale) => [
      {
        name: '',
        subjects: [0, scale.backlog / 10, scale.backlog].map((waiting) => {
          const name = waiting === 0 ? 'empty' : `${waiting.toLocaleString('en-US')} waiting`;
          return warm({ name, start: () => startWith(options, scale, waiting) }, scale);
        }),
      },
    ],
  };
}

async function startWith(options: SystemOptions, scale: Scale, waiting: number) {
  const target = await startBenchFunction();
  const system = await startAsyncfn({ ...options, functions: 2, worker: { functionUrl: target.url, slots } });
  await target.hold();
  const queue = new LongQueue(system, target, scale);
  await queue.fill(waiting);
  return {
    measure: () => queue.measure(waiting),
    async [Symbol.asyncDispose]() {
      await target.release();
      await system[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

/**
 * A queue that holds the same number of calls whenever a measurement begins. The first function's calls are those that
 * wait; the second one's are accepted in the measurement, and removed. The function holds calls except while draining
 * is measured.
 */
class LongQueue {
  readonly #system: AsyncfnSystem;
  readonly #target: BenchFunction;
  readonly #scale: Scale;
  /** Calls before this number may have run. */
  #first = 0;
  #next = 0;
  /** Calls from `#first` on that were cancelled: a second cancel is refused. */
  readonly #cancelled = new Set<number>();

  constructor(system: AsyncfnSystem, target: BenchFunction, scale: Scale) {
    this.#system = system;
    this.#target = target;
    this.#scale = scale;
  }

  async fill(count: number): Promise<void> {
    const [name = ''] = this.#system.functions;
    await fillQueue({ natsUrl: this.#system.natsUrl, function: name, bodyBytes, from: this.#next, count });
    this.#next += count;
  }

  async measure(waiting: number): Promise<Measurement> {
    const accepting = await this.#accept();
    if (waiting === 0) {
      await this.fill(this.#scale.durationMs * drainedPerMs);
    }
    const asking = await this.#ask();
    const draining = await this.#drain();
    const memory = await this.#memory();
    if (waiting === 0) {
      await this.#system.purge();
      this.#first = this.#next;
    } else {
      await this.fill(waiting - (this.#next - this.#first));
    }
    return { ...accepting, ...asking, ...draining, ...memory };
  }

  async #accept(): Promise<Measurement> {
    const { intake, pids, functions } = this.#system;
    const { connections, warmUpMs, durationMs } = this.#scale;
    const result = await putLoad({
      port: intake.port,
      paths: intake.paths.slice(1),
      connections,
      bodyBytes,
      warmUpMs,
      durationMs,
      pids,
    });
    await this.#system.purgeFunction(functions[1] ?? '');
    return toAccepting(result);
  }

  /** One after the other, over the whole length of the queue. */
  async #ask(): Promise<Measurement> {
    await using client = new CallClient(this.#system.gatewayUrl, 1);
    const count = Math.min(this.#scale.lookUps, this.#next - this.#first);
    const step = (this.#next - this.#first) / count;
    const numbers = Array.from({ length: count }, (_, index) => this.#first + Math.floor(index * step));
    const lookUps = await timesOf(client, numbers, 'GET', 200);
    const queued = numbers.filter((number) => !this.#cancelled.has(number));
    const cancels = await timesOf(client, queued, 'DELETE', 202);
    for (const number of queued) {
      this.#cancelled.add(number);
    }
    this.#first += count;
    return {
      'look-up p50 ms': percentile(lookUps, 0.5),
      'look-up p99 ms': percentile(lookUps, 0.99),
      'cancel p50 ms': percentile(cancels, 0.5),
      'cancel p99 ms': percentile(cancels, 0.99),
    };
  }

  async #drain(): Promise<Measurement> {
    await this.#target.reset();
    const before = await this.#readCpu();
    await this.#target.release();
    await delay(this.#scale.durationMs);
    await this.#target.hold();
    const after = await this.#readCpu();
    const { perSecond, count } = await this.#target.report();
    this.#first = Math.min(this.#next, this.#first + count + slots);
    return {
      'drained/s': perSecond,
      'worker µs/drain': (after.worker - before.worker) / count,
      'broker µs/drain': (after.broker - before.broker) / count,
    };
  }

  async #readCpu(): Promise<{ readonly worker: number; readonly broker: number }> {
    const { workerPids, pids } = this.#system;
    const [worker, broker] = await Promise.all([workerPids[0] ?? 0, pids['broker'] ?? 0].map(cpuMicros));
    return { worker: worker ?? Number.NaN, broker: broker ?? Number.NaN };
  }

  async #memory(): Promise<Measurement> {
    const { pids, workerPids } = this.#system;
    return {
      'gateway MiB': await residentMiB(pids['gateway'] ?? 0),
      'worker MiB': await residentMiB(workerPids[0] ?? 0),
      'broker MiB': await residentMiB(pids['broker'] ?? 0),
    };
  }
}

function toAccepting({ accepted, refused, seconds, cpuMicros: { gateway, broker } }: LoadResult): Measurement {
  if (refused > 0) {
    throw new Error(`${refused} calls were refused`);
  }
  return {
    'accepted/s': accepted / seconds,
    'gateway µs/accept': (gateway ?? Number.NaN) / accepted,
    'broker µs/accept': (broker ?? Number.NaN) / accepted,
  };
}

async function timesOf(
  client: CallClient,
  numbers: readonly number[],
  method: 'GET' | 'DELETE',
  expected: number,
): Promise<number[]> {
  const times: number[] = [];
  for (const id of numbers.map(numberedCallId)) {
    const { status, tookMs } = await client.ask(id, '', method);
    if (status !== expected) {
      throw new Error(`${method} of call ${id} was answered ${status}`);
    }
    times.push(tookMs);
  }
  return times;
}
