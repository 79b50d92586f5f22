import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LineFile } from './line-file.ts';

test('each line is read once, when it is complete', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-line-file-'));
  const path = join(folder, 'log');
  const file = new LineFile(path);
  expect(file.read()).toEqual([]); // no line yet
  await appendFile(path, 'one\ntw');
  expect(file.read()).toEqual(['one']);
  expect(file.read()).toEqual([]);
  await appendFile(path, 'o\n\nthree\n');
  expect(file.read()).toEqual(['two', '', 'three']);
  await rm(folder, { recursive: true });
});

test('lines that are longer than one read stay whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-line-file-'));
  const path = join(folder, 'log');
  const long = 'ä'.repeat(200_000);
  await appendFile(path, `${long}\nend\n`);
  expect(new LineFile(path).read()).toEqual([long, 'end']);
  await rm(folder, { recursive: true });
});
