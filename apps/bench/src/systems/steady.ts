import { runProgram } from '../processes/index.ts';

export interface SteadySettings {
  readonly gatewayUrl: string;
  readonly path: string;
  /** The URL of a `BenchFunction`, which holds calls while accepting is measured alone. */
  readonly functionUrl: string;
  readonly perSecond: number;
  readonly durationMs: number;
}

/** Medians of round trips at the same rate, each measured while nothing else runs. */
export interface PartsAlone {
  /** From the POST to the 202. */
  readonly acceptMs: number;
  readonly functionMs: number;
  readonly callbackMs: number;
}

export interface SteadyResult extends PartsAlone {
  readonly calls: number;
  /** From the POST of a call to its callback. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function runSteady(settings: SteadySettings): Promise<SteadyResult> {
  return runProgram<SteadyResult>(new URL('../references/steady-main.js', import.meta.url), settings);
}
