import { startProgram } from '../processes/index.ts';

export interface FunctionReport {
  /** Calls answered since the last reset. */
  readonly count: number;
  /** Over the middle eight tenths of the calls. */
  readonly perSecond: number;
  /** From the first call to the last. */
  readonly perSecondOverall: number;
}

/** A function in a separate process that does as little as possible. */
export interface BenchFunction extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  report(): Promise<FunctionReport>;
  reset(): Promise<void>;
  /**
   * Makes calls wait for their answers, so that a worker without a free slot takes no more of them. Pausing a worker
   * with a signal would add work when it resumes: ours asks the broker what it has missed.
   */
  hold(): Promise<void>;
  /** Answers the waiting calls, and from now on every call at once. */
  release(): Promise<void>;
}

export async function startBenchFunction(): Promise<BenchFunction> {
  const program = await startProgram<{ port: number }>(new URL('../references/function-main.js', import.meta.url), {});
  const url = `http://127.0.0.1:${program.said.port}`;
  const order = async (name: string): Promise<void> => {
    await (await fetch(`${url}/${name}`, { method: 'POST' })).body?.cancel();
  };
  return {
    url,
    pid: program.pid,
    report: async () => (await (await fetch(`${url}/report`)).json()) as FunctionReport,
    reset: () => order('reset'),
    hold: () => order('hold'),
    release: () => order('release'),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
