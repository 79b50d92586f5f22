import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FunctionsFile, FunctionsFileError } from './functions-file.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'functions-file-'));
  path = join(folder, 'functions.yaml');
});

afterEach(() => rm(folder, { recursive: true }));

const good = 'functions:\n  echo: { url: http://echo }\n';

async function loadError(): Promise<FunctionsFileError> {
  const error: unknown = await FunctionsFile.load(path).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(FunctionsFileError);
  return error as FunctionsFileError;
}

test('a good file says which functions there are', async () => {
  await writeFile(path, good);
  const file = await FunctionsFile.load(path);
  expect(file.definition.functions.get('echo')?.url).toBe('http://echo');
  expect(file.text).toBe(good);
});

test('a bad file is an error that names every problem with path and line', async () => {
  await writeFile(path, 'functions:\n  echo: { url: nonsense }\n  "a b": { url: http://x }\n');
  const { problems, message } = await loadError();
  expect(problems).toHaveLength(2);
  expect(problems[0]).toMatch(`${path}:2: functions.echo.url must be an absolute http or https URL`);
  expect(problems[1]).toMatch(`${path}:3: functions.a b must be NAME`);
  expect(message).toBe(problems.join('\n'));
});

test('broken YAML is an error that names the line', async () => {
  await writeFile(path, 'functions: {}\nfunctions: {}\n');
  expect((await loadError()).problems).toEqual([`${path}:2: Map keys must be unique`]);
});

test('a file that is not there is an error that says so', async () => {
  const { problems, cause } = await loadError();
  expect(problems).toEqual([expect.stringContaining(`${path}: cannot be read: ENOENT`)]);
  expect(cause).toMatchObject({ code: 'ENOENT' });
});

test('a file that cannot be read is an error that says so', async () => {
  await mkdir(path);
  expect((await loadError()).problems).toEqual([expect.stringContaining(`${path}: cannot be read: EISDIR`)]);
});

test('a new content is taken over', async () => {
  await writeFile(path, good);
  const file = await FunctionsFile.load(path);
  expect(file.take('functions: { a: { url: http://a }, b: { url: http://b } }')).toEqual({
    kind: 'reloaded',
    functions: 2,
  });
  expect(file.definition.functions.get('echo')).toBeUndefined();
  expect(file.definition.functions.get('b')?.url).toBe('http://b');
});

test('a refused content leaves the last good one in place', async () => {
  await writeFile(path, good);
  const file = await FunctionsFile.load(path);
  const outcome = file.take('functions:\n  new: { url: http://new }\n  bad: { url: nonsense }\n');
  expect(outcome).toEqual({ kind: 'refused', problems: [expect.stringContaining(`${path}:3: functions.bad.url`)] });
  expect(file.definition.functions.get('echo')?.url).toBe('http://echo');
  expect(file.definition.functions.get('new')).toBeUndefined();
});

test('an emptied file is a file without functions, not an error', async () => {
  await writeFile(path, good);
  const file = await FunctionsFile.load(path);
  expect(file.take('')).toEqual({ kind: 'reloaded', functions: 0 });
  expect([...file.definition.functions]).toEqual([]);
});
