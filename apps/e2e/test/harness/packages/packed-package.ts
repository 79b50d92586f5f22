import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { runPnpm } from '@asyncfn/testkit';
import { publint } from 'publint';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../../..', import.meta.url));

/** A package as it is published, and an empty folder with nothing but it. */
export class PackedPackage implements AsyncDisposable {
  readonly tarball: string;
  /** Where it is installed. */
  readonly folder: string;
  readonly #parent: string;

  private constructor(parent: string, tarball: string, folder: string) {
    this.#parent = parent;
    this.tarball = tarball;
    this.folder = folder;
  }

  /**
   * Packs what is built, and installs it.
   *
   * @param path of the package, below the root of the repository
   */
  static async install(path: string): Promise<PackedPackage> {
    const parent = await mkdtemp(join(tmpdir(), 'packed-'));
    await runPnpm(['pack', '--pack-destination', parent], join(root, path));
    const [name = ''] = (await readdir(parent)).filter((file) => file.endsWith('.tgz'));
    const packed = new PackedPackage(parent, join(parent, name), join(parent, 'empty'));
    await mkdir(packed.folder);
    await packed.write({ 'package.json': '{"private":true,"type":"module"}' });
    await run('npm', ['install', '--no-audit', '--no-fund', packed.tarball], { cwd: packed.folder });
    return packed;
  }

  /** Files of the folder. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.folder, name), text);
    }
  }

  /** The output of a file of the folder. */
  async run(file: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { stdout } = await run(process.execPath, [file], { cwd: this.folder, env: { ...process.env, ...env } });
    return stdout;
  }

  /** What publint and arethetypeswrong say of it. There is no build for CommonJS, which imports it. */
  async problems(): Promise<unknown[]> {
    const bytes = await readFile(this.tarball);
    const tarball = new Uint8Array(bytes).buffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)));
    const ofTypes = checked.types === false ? ['it has no types'] : checked.problems.filter(isOfEsm);
    return [...messages, ...ofTypes];
  }

  /** The paths in the package, sorted. */
  async files(): Promise<string[]> {
    const { stdout } = await run('tar', ['-tzf', this.tarball]);
    return stdout
      .trim()
      .split('\n')
      .map((path) => path.replace(/^package\//, ''))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#parent, { recursive: true });
  }
}

/** Whether it concerns those who import the package, and not those who would require it. */
function isOfEsm(problem: Problem): boolean {
  return !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind));
}
