import { startProgram } from '../processes/index.ts';

export interface FunctionReport {
  /** Calls since the last reset. */
  readonly count: number;
  /** Over the middle eight tenths of the calls. */
  readonly perSecond: number;
  /** From the first call to the last. */
  readonly perSecondOverall: number;
}

/** A function in a process of its own that does as little as possible. */
export interface BenchFunction extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  report(): Promise<FunctionReport>;
  reset(): Promise<void>;
}

export async function startBenchFunction(): Promise<BenchFunction> {
  const program = await startProgram<{ port: number }>(new URL('../references/function-main.js', import.meta.url), {});
  const url = `http://127.0.0.1:${program.said.port}`;
  return {
    url,
    pid: program.pid,
    report: async () => (await (await fetch(`${url}/report`)).json()) as FunctionReport,
    async reset() {
      await fetch(`${url}/reset`, { method: 'POST' });
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
