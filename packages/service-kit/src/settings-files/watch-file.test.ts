import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { capturedLogger } from '../../test/captured-logger.ts';
import { type WatchFileOptions, watchFile } from './watch-file.ts';

interface Watched extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly seen: string[];
  readonly sentences: () => unknown[];
  sees(content: string): Promise<unknown>;
}

/** A folder with a watched file that holds `first`. */
async function watched(options: Partial<WatchFileOptions> & { onChange?: (content: string) => void } = {}) {
  const { logger, sentences } = capturedLogger();
  const folder = await mkdtemp(join(tmpdir(), 'watch-file-'));
  const path = join(folder, 'functions.yaml');
  await writeFile(path, 'first');
  const controller = new AbortController();
  const seen: string[] = [];
  const onChange = (content: string) => {
    seen.push(content);
    options.onChange?.(content);
  };
  const ended = watchFile(path, onChange, {
    logger,
    signal: controller.signal,
    intervalMs: 5,
    known: 'first',
    ...options,
  });
  const result: Watched = {
    folder,
    path,
    seen,
    sentences,
    sees: (content) => eventually(() => seen.at(-1) === content),
    async [Symbol.asyncDispose]() {
      controller.abort();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
  return result;
}

describe('watchFile', () => {
  test('reports each change once, with the new text', async () => {
    await using file = await watched();
    await writeFile(file.path, 'second');
    await file.sees('second');
    await writeFile(file.path, 'third');
    await file.sees('third');
    expect(file.seen).toEqual(['second', 'third']);
  });

  test("sees a change between the caller's reading and the first look", async () => {
    await using file = await watched({ known: 'zeroth' });
    await file.sees('first');
  });

  test('without a known text the first content counts as known', async () => {
    const { known: _, ...options } = { known: undefined };
    await using file = await watched(options);
    await writeFile(file.path, 'second');
    await file.sees('second');
    expect(file.seen).toEqual(['second']);
  });

  test('sees a file that is renamed into place, as editors do', async () => {
    await using file = await watched();
    for (const content of ['second', 'third']) {
      await writeFile(`${file.path}~`, content);
      await rename(`${file.path}~`, file.path);
      await file.sees(content);
    }
  });

  test('sees a symlink two folders up that is swapped, as Kubernetes does with a ConfigMap', async () => {
    await using file = await watched();
    const { folder } = file;
    for (const version of ['v1', 'v2', 'v3']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'functions.yaml'), version);
    }
    const swapTo = async (version: string) => {
      await symlink(version, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await swapTo('v1');
    await rm(file.path);
    await symlink('..data/functions.yaml', file.path);
    await file.sees('v1');
    await swapTo('v2');
    await file.sees('v2');
    await swapTo('v3');
    await file.sees('v3');
  });

  test('a file that vanishes is not a change; it is logged once, and again when it is back', async () => {
    await using file = await watched();
    await rm(file.path);
    await eventually(() => file.sentences().includes('watched file cannot be read'));
    await writeFile(file.path, 'first');
    await eventually(() => file.sentences().includes('watched file can be read again'));
    await writeFile(file.path, 'second');
    await file.sees('second');
    expect(file.seen).toEqual(['second']);
    expect(file.sentences()).toHaveLength(2);
  });

  test('a file that is touched but not changed is no change', async () => {
    await using file = await watched();
    await utimes(file.path, new Date(), new Date());
    await writeFile(file.path, 'second');
    await file.sees('second');
    expect(file.seen).toEqual(['second']);
  });

  test('a file that is emptied before it is filled does not count as an empty one', async () => {
    const { pauses, sleep } = steppedSleep();
    await using file = await watched({ intervalMs: 1_000, sleep });
    const contents = ['', 'second', 'second', 'second'];
    for (const content of contents) {
      await eventually(() => pauses.length > 0);
      await writeFile(file.path, content);
      pauses.shift()?.end();
    }
    const { ms } = await eventually(() => pauses[0]);
    expect(file.seen).toEqual(['second']);
    expect(ms).toBe(1_000);
  });

  test('a changed file is checked again soon', async () => {
    const { pauses, sleep } = steppedSleep();
    await using file = await watched({ intervalMs: 1_000, sleep });
    await writeFile(file.path, 'second');
    (await eventually(() => pauses.shift())).end();
    expect((await eventually(() => pauses[0])).ms).toBe(100);
  });

  test('a content of the same length within the same time stamp is seen', async () => {
    await using file = await watched();
    const stamp = new Date();
    for (const content of ['aaaaa', 'bbbbb', 'ccccc']) {
      await writeFile(file.path, content);
      await utimes(file.path, stamp, stamp);
      await file.sees(content);
    }
  });

  test('a change that onChange refuses is logged, and the next is reported', async () => {
    await using file = await watched({
      onChange: (content) => {
        if (content === 'bad') {
          throw new Error('not YAML');
        }
      },
    });
    await writeFile(file.path, 'bad');
    await eventually(() => file.sentences().includes('change of a watched file could not be applied'));
    await writeFile(file.path, 'good');
    await file.sees('good');
  });
});

/** A sleep whose pauses a test ends itself; an abort ends them too. */
function steppedSleep() {
  const pauses: { ms: number; end: () => void }[] = [];
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<boolean>((resolve) => {
      signal?.addEventListener('abort', () => resolve(false));
      pauses.push({ ms, end: () => resolve(true) });
    });
  return { pauses, sleep };
}
