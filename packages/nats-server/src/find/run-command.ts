import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CommandOptions {
  readonly cwd?: string;
  /** Killed after that. Default: a minute. */
  readonly timeoutMs?: number;
}

/**
 * Runs a command to its end and returns its output.
 * @throws with what the command said on stderr when it fails.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs = 60_000 }: CommandOptions = {},
): Promise<string> {
  try {
    const { stdout } = await run(command, args, { timeout: timeoutMs, killSignal: 'SIGKILL', ...(cwd && { cwd }) });
    return stdout;
  } catch (error) {
    throw new Error(`${command}: ${explain(error, timeoutMs)}`);
  }
}

function explain(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  if ('killed' in error && error.killed === true) {
    return `gave no answer within ${timeoutMs} ms`;
  }
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  if (said !== '') {
    return said;
  }
  if ('code' in error && error.code === 'ENOENT') {
    return 'no such command';
  }
  return error.message;
}
