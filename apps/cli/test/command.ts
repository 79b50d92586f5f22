import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const builtMain = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface Ran {
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Path of the command. Default: the built one. */
  readonly main?: string;
}

/** The environment of a user without settings. */
export function cleanEnv(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], XDG_CONFIG_HOME: '/nonexistent', ...env };
}

/** Starts the command as a process of its own. */
export function startCommand(args: readonly string[], { env = {}, cwd, main = builtMain }: RunOptions = {}) {
  return spawn(process.execPath, [main, ...args], { env: cleanEnv(env), cwd, stdio: 'pipe' });
}

/** Runs the command to its end. */
export async function runCommand(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = startCommand(args, options);
  const ended = new Promise<Ran['code']>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const [code, bytes, stderr] = await Promise.all([ended, buffer(child.stdout), text(child.stderr)]);
  return { code, stdout: bytes.toString(), bytes, stderr };
}
