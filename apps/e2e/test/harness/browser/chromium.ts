import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

/** A browser to run, and what it needs in its environment. */
export interface Chromium {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where it is on machines that have one. */
const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * Finds a Chromium: the one in `CHROMIUM_PATH`, the one that npm has installed (Linux on x64, libraries and fonts included,
 * so that the machine needs none of its own), or one that the machine has.
 */
export async function findChromium(): Promise<Chromium> {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') {
    return { path: named, env: {} };
  }
  if (process.platform === 'linux' && process.arch === 'x64') {
    return ofPackage(await unpackOnce());
  }
  const path = usualPlaces.find((place) => existsSync(place));
  if (path === undefined) {
    throw new Error('no Chromium is found on this machine: set CHROMIUM_PATH to the path of one');
  }
  return { path, env: {} };
}

function ofPackage(folder: string): Chromium {
  return {
    path: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  };
}

/** Unpacks the package into the cache, unless that is done. Several processes may do so at once. */
async function unpackOnce(): Promise<string> {
  const require = createRequire(import.meta.url);
  const root = join(dirname(require.resolve('@sparticuz/chromium')), '..', '..');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'asyncfn');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) {
    return folder;
  }
  await mkdir(cache, { recursive: true });
  const unpacking = await mkdtemp(`${folder}-`);
  await unpack(join(root, 'bin'), unpacking, folder);
  try {
    await rename(unpacking, folder);
  } catch (error) {
    // Another process was faster.
    await rm(unpacking, { recursive: true, force: true });
    if (!existsSync(folder)) {
      throw error;
    }
  }
  return folder;
}

/** @param folder where the files will be */
async function unpack(bin: string, into: string, folder: string): Promise<void> {
  const decompress = async (name: string): Promise<Buffer> =>
    await promisify(brotliDecompress)(await readFile(join(bin, name)));
  const path = join(into, 'chromium');
  await writeFile(path, await decompress('chromium.br'));
  await chmod(path, 0o755);
  for (const archive of ['al2023', 'fonts', 'swiftshader']) {
    const file = join(into, `${archive}.tar`);
    await writeFile(file, await decompress(`${archive}.tar.br`));
    await promisify(execFile)('tar', ['-xf', file, '--no-same-owner', '-C', into]);
    await rm(file);
  }
  const fonts = join(folder, 'fonts');
  const config = `<fontconfig><dir>${fonts}</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>`;
  await writeFile(
    join(into, 'fonts.conf'),
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n${config}\n`,
  );
}
