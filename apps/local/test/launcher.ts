import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, noteSpawned } from '@asyncfn/testkit';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const tailLines = 80;

/** The launcher as a user runs it, with free ports unless `env` says otherwise. */
export function startLauncher(env: Record<string, string>, main: string = MAIN) {
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: { ...process.env, PORT: '0', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => lines.push(line));
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? -1));
  });
  noteSpawned({
    exited,
    get tail() {
      return ['--- launcher', ...lines.slice(-tailLines)].join('\n');
    },
  });
  const find = (pattern: RegExp) => lines.map((line) => pattern.exec(line)).find((match) => match !== null);
  return {
    lines,
    exited,
    /** Everything that it has printed. */
    text: () => lines.join('\n'),
    signal: (name: NodeJS.Signals) => void child.kill(name),
    /** Closes its output, as if the reader of a pipe had ended. */
    stopReading: () => void child.stdout.destroy(),
    /** Resolves with the first line that matches. */
    waitForLine: (pattern: RegExp) =>
      eventually(() => find(pattern), { message: `no line ${pattern}\n${lines.join('\n')}` }),
    /** The curl lines of the banner, once everything is ready. */
    async waitForCurlLines(): Promise<string[]> {
      await this.waitForLine(/Ctrl-C stops everything/);
      return lines.filter((line) => /^ {2}curl /.test(line));
    },
    /** Process id of the gateway or the worker, from their logs. */
    async pidOf(name: 'gateway' | 'worker'): Promise<number> {
      return Number((await this.waitForLine(new RegExp(`^${name} .* started .*pid=(\\d+)`)))[1]);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The output of a line that is pasted into a shell. */
export async function paste(line: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-c', line])).stdout;
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
