import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileDefinition } from '@asyncfn/queue-core';
import { ConfigError, createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followFunctions } from './follow-functions.ts';
import { loadFunctionsFile } from './load-functions-file.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'live-functions-'));
  path = join(folder, 'functions.yaml');
});

afterEach(() => rm(folder, { recursive: true }));

const fileOf = (name: string) => `functions:\n  ${name}: { url: http://${name}.test }\n`;

function memoryLogger() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, logger: createLogger({ name: 'test', level: 'info', format: 'json', destination }) };
}

function recordingRegister() {
  const taken: string[][] = [];
  const takeFile = ({ settings }: FileDefinition): void => void taken.push([...settings.keys()]);
  return { taken, takeFile, check: async () => {} };
}

test('without a file the functions are those of the register, and the log says so', async () => {
  const { lines, logger } = memoryLogger();
  const file = await loadFunctionsFile(undefined);
  await followFunctions({ file, shared: recordingRegister(), logger, signal: AbortSignal.abort() });
  expect(lines).toMatchObject([{ level: 'info', msg: expect.stringContaining('no FUNCTIONS_FILE is set') }]);
});

test('a file that is wrong is a configuration error that names each line', async () => {
  await writeFile(path, 'functions:\n  one: { url: nonsense }\n  two: { url: http://two.test, queue: "a b" }\n');
  const error = await loadFunctionsFile(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems).toMatchObject([
    { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}:2: `) },
    { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}:3: `) },
  ]);
});

test('a file that is not there is a configuration error', async () => {
  await expect(loadFunctionsFile(path)).rejects.toThrow(ConfigError);
});

test('a change of the file is taken over, a bad one is logged and left, until the signal aborts', async () => {
  const { lines, logger } = memoryLogger();
  const stop = new AbortController();
  await writeFile(path, fileOf('one'));
  const file = await loadFunctionsFile(path);
  const shared = recordingRegister();
  const followed = followFunctions({ file, shared, logger, signal: stop.signal });
  await writeFile(path, fileOf('two'));
  await eventually(() => shared.taken.length === 1);
  expect(shared.taken).toEqual([['two']]);
  await writeFile(path, 'functions: [');
  await eventually(() => lines.some(({ level }) => level === 'error'));
  expect(shared.taken).toHaveLength(1);
  stop.abort();
  await followed;
}, 15_000);
