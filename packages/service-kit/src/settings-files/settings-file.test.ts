import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../logging/logger.ts';
import { type FurtherFiles, type ParsedSettings, SettingsFile } from './settings-file.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-file-'));
  path = join(folder, 'numbers');
});

afterEach(() => rm(folder, { recursive: true }));

/** One whole number a line. */
function parse(text: string, file: string): ParsedSettings<number[]> {
  const lines = text.trim().split('\n');
  const problems = lines.flatMap((line, index) => (/^\d+$/.test(line) ? [] : [`${file}:${index + 1}: no number`]));
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'settings', settings: lines.map(Number) };
}

test('a file with mistakes ends the start with every problem and its line', async () => {
  await writeFile(path, '1\nx\n2\ny\n');
  await expect(SettingsFile.load({ path, env: 'NUMBERS_FILE', parse })).rejects.toMatchObject({
    code: 'config_invalid',
    problems: [
      { name: 'NUMBERS_FILE', problem: `${path}:2: no number` },
      { name: 'NUMBERS_FILE', problem: `${path}:4: no number` },
    ],
  });
});

test('a file that does not exist ends the start and is named', async () => {
  await expect(SettingsFile.load({ path, env: 'NUMBERS_FILE', parse })).rejects.toMatchObject({
    code: 'config_invalid',
    problems: [{ name: 'NUMBERS_FILE', problem: expect.stringContaining(`${path}: cannot be read: ENOENT`) }],
  });
});

test('a new content is applied, a bad one logged and ignored, until the signal aborts', async () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'info', format: 'json', destination });
  const stop = new AbortController();
  await writeFile(path, '1\n');
  const file = await SettingsFile.load({ path, env: 'NUMBERS_FILE', parse });
  expect(file.current).toEqual([1]);
  const followed = file.follow(logger, stop.signal);
  await writeFile(path, 'nonsense\n');
  await eventually(() => lines.some(({ level }) => level === 'error'));
  expect(file.current).toEqual([1]);
  expect(lines).toMatchObject([{ setting: 'NUMBERS_FILE', problems: [`${path}:1: no number`] }]);
  await writeFile(`${path}.new`, '2\n3\n');
  await rename(`${path}.new`, path);
  await eventually(() => file.current.length === 2);
  expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'settings file reloaded', setting: 'NUMBERS_FILE' });
  stop.abort();
  await followed;
});

test('the files that it names belong to it: a change of one of them is applied, and one that cannot be read is reported', async () => {
  const other = join(folder, 'other');
  const options = {
    path,
    env: 'NUMBERS_FILE',
    furtherFiles: (text: string) => text.trim().split('\n'),
    parse(text: string, _: string, further: FurtherFiles): ParsedSettings<string[]> {
      const files = text.trim().split('\n').map(further);
      const problems = files.flatMap((file) => (file.kind === 'unreadable' ? [file.why] : []));
      const texts = files.flatMap((file) => (file.kind === 'text' ? [file.text] : []));
      return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'settings', settings: texts };
    },
  };
  await writeFile(path, `other\n${other}\n`);
  await expect(SettingsFile.load(options)).rejects.toMatchObject({
    problems: [{ problem: expect.stringContaining('ENOENT') }, { problem: expect.stringContaining('ENOENT') }],
  });
  await writeFile(other, 'one');
  const file = await SettingsFile.load(options);
  expect(file.current).toEqual(['one', 'one']);
  const stop = new AbortController();
  const logger = createLogger({ name: 'test', level: 'fatal', format: 'json', destination: { write: () => {} } });
  const followed = file.follow(logger, stop.signal);
  await writeFile(other, 'two');
  await eventually(() => file.current.join() === 'two,two');
  stop.abort();
  await followed;
});
