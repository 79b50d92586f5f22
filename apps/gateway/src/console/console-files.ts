import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export interface ConsoleFile {
  /** Below the folder of the console, such as `assets/index-CqR2X.js`. */
  readonly path: string;
  readonly mediaType: string;
  /** Compressed with gzip. */
  readonly zipped: Buffer;
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export const page = 'index.html';

/** Nothing else can be asked for: no other folder, and no file that begins with a dot. */
const servedPath = /^(index\.html|assets\/[A-Za-z0-9_-]+\.[a-z]+)$/;

/**
 * A file of the built console; undefined for an unknown name. It is read for each request, because browsers keep
 * it: an idle gateway holds nothing of the console.
 *
 * @param folder where the build has put the files, each compressed with gzip as `NAME.gz`
 */
export async function findFile(folder: string, path: string): Promise<ConsoleFile | undefined> {
  const mediaType = mediaTypes[extname(path)];
  if (mediaType === undefined || !servedPath.test(path)) {
    return undefined;
  }
  try {
    return { path, mediaType, zipped: await readFile(join(folder, `${path}.gz`)) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** For clients that do not take gzip. */
export const unzip: (zipped: Buffer) => Promise<Buffer> = promisify(gunzip);

/** Where the build has put the console: beside a gateway that is packed together with it, else in its own package. */
export function consoleFolder(): string {
  const beside = join(import.meta.dirname, 'console');
  if (existsSync(join(beside, `${page}.gz`))) {
    return beside;
  }
  const manifest = createRequire(import.meta.url).resolve('@asyncfn/console/package.json');
  return join(manifest, '..', 'dist');
}
