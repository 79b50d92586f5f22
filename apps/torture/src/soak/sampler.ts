import { appendFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '@asyncfn/stack';
import type { BrokerLook } from '../broker/index.ts';
import { sampleProcess } from './process-sample.ts';
import { type Series, type Trend, toTrend } from './trend.ts';

export interface SamplerOptions {
  readonly fleet: Fleet;
  readonly look: BrokerLook;
  readonly intervalMs: number;
  /** Receives one JSON object a line for each round. */
  readonly file: string;
}

/** Watches each process of a fleet and the contents of its streams. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #series = new Map<string, { name: string; unit: Series['unit']; values: number[] }>();

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Takes samples until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#sample();
      await delay(this.#options.intervalMs, undefined, { signal }).catch(() => {});
    }
  }

  trends(): Trend[] {
    return [...this.#series.values()].map(toTrend);
  }

  async #sample(): Promise<void> {
    const { fleet, look, file } = this.#options;
    const processes = [
      ...[...fleet.gateways, ...fleet.workers].map(({ name, process }) => ({ name, pid: process.pid })),
      ...fleet.nodes.map(({ name, server }) => ({ name, pid: server.pid })),
    ];
    const round: Record<string, number> = {};
    for (const { name, pid } of processes) {
      const { rssBytes, handles } = await sampleProcess(pid);
      round[`memory of ${name}`] = rssBytes;
      round[`handles of ${name}`] = handles;
    }
    const { messages, consumers } = await look.holdings();
    for (const [stream, count] of Object.entries(messages)) {
      round[`messages in ${stream}`] = count;
    }
    round['consumers'] = consumers;
    for (const [name, value] of Object.entries(round)) {
      const unit = name.startsWith('memory') ? 'bytes' : 'count';
      const series = this.#series.get(name) ?? { name, unit, values: [] };
      series.values.push(value);
      this.#series.set(name, series);
    }
    await appendFile(file, `${JSON.stringify({ at: Date.now(), ...round })}\n`);
  }
}
