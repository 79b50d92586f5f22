import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const nodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Code of the documentation that runs as it stands, in a process of its own. Packages are those of these tests, as built. */
export class DocumentedProcess implements AsyncDisposable {
  /** Lines of its output, errors included. The list is live. */
  readonly lines: string[] = [];
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) {
        createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
      }
    }
  }

  /** @param files by their names; the first one is run */
  static async start(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) {
    const folder = await mkdtemp(join(tmpdir(), 'documented-'));
    await symlink(nodeModules, join(folder, 'node_modules'));
    for (const [name, code] of Object.entries(files)) {
      await writeFile(join(folder, name), code);
    }
    const [main = ''] = Object.keys(files);
    const child = spawn(process.execPath, [join(folder, main)], { env: { ...process.env, ...env }, cwd: folder });
    return new DocumentedProcess(folder, child);
  }

  /** Its exit code. */
  async exited(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'close');
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited();
    await rm(this.#folder, { recursive: true });
  }
}
