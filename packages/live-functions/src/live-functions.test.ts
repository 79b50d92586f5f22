// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileDefinition } from '@asyncfn/queue-core/functions';
import { ConfigError, createLogger, parseConfig } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followFunctions } from './follow-functions.ts';
import { functionsConfig } from './functions-config.ts';
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

function load(functionsFile: string | undefined, env: Record<string, string> = {}) {
  return loadFunctionsFile(parseConfig(functionsConfig, { ...env, FUNCTIONS_FILE: functionsFile }), { env });
}

test('without a file the functions are those of the register, and the log says so', async () => {
  const { lines, logger } = memoryLogger();
  const file = await load(undefined);
  await followFunctions({ file, shared: recordingRegister(), logger, signal: AbortSignal.abort() });
  expect(lines).toMatchObject([{ level: 'info', msg: expect.stringContaining('no FUNCTIONS_FILE is set') }]);
});

test('a file that is wrong is a configuration error that names each line', async () => {
  await writeFile(path, 'functions:\n  one: { url: nonsense }\n  two: { url: http://two.test, queue: "a b" }\n');
  const error = await load(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems).toMatchObject([
    { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}:2: `) },
    { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}:3: `) },
  ]);
});

test('a file that is not there is a configuration error', async () => {
  await expect(load(path)).rejects.toThrow(ConfigError);
});

test('the environment fills in the variables of a file, also of one that has changed, and OPENFAAS_URL its gateway', async () => {
  const stack = (image: string) => `provider: { name: openfaas }\nfunctions: { "\${NAME}": { image: "${image}" } }\n`;
  await writeFile(path, stack('${UNSET}'));
  const file = await load(path, { NAME: 'figlet', OPENFAAS_URL: 'http://gw:31112' });
  expect(file?.definition.functions.get('figlet')?.url).toBe('http://gw:31112/function/figlet');
  expect(file?.take(`${stack('x')}defaults: { queue: "\${QUEUE}" }\n`)).toEqual({
    kind: 'refused',
    problems: [expect.stringContaining(`${path}:3: defaults.queue \${QUEUE} is not set`)],
  });
  expect(file?.take(`${stack('x')}defaults: { queue: "\${NAME}" }\n`)).toEqual({ kind: 'reloaded', functions: 1 });
  expect(file?.definition.functions.get('figlet')?.queue).toBe('figlet');
});

test('a change of the file is taken over, a bad one is logged and left, until the signal aborts', async () => {
  const { lines, logger } = memoryLogger();
  const stop = new AbortController();
  await writeFile(path, fileOf('one'));
  const file = await load(path);
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
