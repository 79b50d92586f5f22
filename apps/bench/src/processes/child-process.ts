import { fileURLToPath } from 'node:url';
import { type GuardedProcess, spawnGuarded } from '@asyncfn/guarded-process';

/** A program of this package in a separate process. Disposing ends it. */
export interface BenchProcess<Said> extends AsyncDisposable {
  readonly pid: number;
  /** The one line that it prints: its address, or its measurement. */
  readonly said: Said;
}

/**
 * Runs a module of this package with `settings` as its argument, and waits for the JSON that it prints. If it ends
 * without that, rejects with everything that it has written.
 */
export async function startProgram<Said>(module: URL, settings: object): Promise<BenchProcess<Said>> {
  const name = module.pathname.split('/').at(-1) ?? '';
  const output: string[] = [];
  let hear: (line: string) => void = () => {};
  const said = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const args = ['--enable-source-maps', fileURLToPath(module), JSON.stringify(settings)];
  const child = await spawnGuarded(process.execPath, args, {
    onLine(line, stream) {
      output.push(line);
      if (stream === 'stdout') {
        hear(line);
      }
    },
  });
  const line = await Promise.race([said, child.exited.then(() => undefined)]);
  if (line === undefined) {
    throw new Error([`${name} ended without a word:`, ...output].join('\n'));
  }
  return toHandle(child, JSON.parse(line) as Said);
}

/** Runs a module to its end, and returns what it has printed. */
export async function runProgram<Said>(module: URL, settings: object): Promise<Said> {
  await using program = await startProgram<Said>(module, settings);
  return program.said;
}

function toHandle<Said>(child: GuardedProcess, said: Said): BenchProcess<Said> {
  return {
    pid: child.pid,
    said,
    async [Symbol.asyncDispose]() {
      child.signal('SIGKILL');
      await child.exited;
    },
  };
}
