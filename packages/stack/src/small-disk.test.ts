import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSmallDisk } from './small-disk.ts';

test('a small disk is full and has room again, and its content stays', async ({ skip }) => {
  const opened = await openSmallDisk();
  if (opened.kind === 'impossible') {
    skip(opened.reason);
    return;
  }
  await using disk = opened.disk;
  const write = (name: string): Promise<void> => writeFile(join(disk.path, name), Buffer.alloc(1_000_000, 'x'));
  await write('before');
  await disk.fill();
  await expect(write('while full')).rejects.toThrow('ENOSPC');
  await disk.makeRoom();
  await write('after');
  expect((await readFile(join(disk.path, 'before'))).length).toBe(1_000_000);
  expect(await readdir(disk.path)).toContain('after');
});

test('a small disk gets full while another process writes to it as fast as it can', async ({ skip }) => {
  const opened = await openSmallDisk();
  if (opened.kind === 'impossible') {
    skip(opened.reason);
    return;
  }
  await using disk = opened.disk;
  const file = join(disk.path, 'growing');
  const chunk = Buffer.alloc(256 * 1024, 'x');
  const write = async (): Promise<never> => {
    for (;;) {
      await appendFile(file, chunk);
    }
  };
  const written = expect(write()).rejects.toThrow('ENOSPC');
  await disk.fill();
  await written;
});
