import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxOutputBytes = 64 * 1024 * 1024;

/** Runs pnpm: the one that runs these tests, or the one that npm has. Rejects with its output if it fails. */
export async function runPnpm(args: readonly string[], cwd: string): Promise<void> {
  const own = process.env['npm_execpath'];
  const [command, ...first] = own?.includes('pnpm') === true ? [process.execPath, own] : ['npx', '-y', 'pnpm@10'];
  await run(command, [...first, ...args], { cwd, maxBuffer: maxOutputBytes });
}
