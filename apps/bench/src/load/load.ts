import { runProgram } from '../processes/index.ts';
import type { Measurement } from '../scenario.ts';
import type { RequestShape } from './raw-connection.ts';

export interface LoadSettings extends Omit<RequestShape, 'path'> {
  readonly port: number;
  /** Sent in turn. */
  readonly paths: readonly string[];
  readonly connections: number;
  /** Flow keys that the calls have in turn. Default 0: none has one. */
  readonly keys?: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Processes whose CPU time is measured, by the names that the figures use. */
  readonly pids: Readonly<Record<string, number>>;
}

export interface LoadResult {
  readonly accepted: number;
  /** All accepted calls, including those before the measurement. */
  readonly total: number;
  readonly refused: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of each process of `pids`; NaN if it is not known. */
  readonly cpuMicros: Readonly<Record<string, number | null>>;
}

/** Puts load on a server from a separate process: the same load for every subject. */
export function putLoad(settings: LoadSettings): Promise<LoadResult> {
  return runProgram<LoadResult>(new URL('./load-main.js', import.meta.url), settings);
}

/** The figures of a load: see `loadFigures`. Throws if a request was refused, because then the rate means nothing. */
export function toMeasurement({ accepted, refused, seconds, p50Ms, p99Ms, cpuMicros }: LoadResult): Measurement {
  if (refused > 0 || accepted === 0) {
    throw new Error(`${refused} calls were refused and ${accepted} accepted`);
  }
  const cpu = Object.entries(cpuMicros).flatMap(([name, micros]) =>
    micros === null ? [] : [[`${name} µs/call`, micros / accepted] as const],
  );
  return { 'calls/s': accepted / seconds, 'p50 ms': p50Ms, 'p99 ms': p99Ms, ...Object.fromEntries(cpu) };
}

export const loadFigures = [
  { name: 'calls/s', compared: true },
  { name: 'p50 ms' },
  { name: 'p99 ms', compared: true },
  { name: 'gateway µs/call' },
  { name: 'broker µs/call' },
];
