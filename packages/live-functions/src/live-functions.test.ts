// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileDefinition } from '@asyncfn/queue-core/functions';
import { ConfigError, createLogger, type FurtherFiles, parseConfig } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followedFunctions } from './follow-functions.ts';
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
  return { taken, takeFile, check: async () => {}, list: () => [], complete: true };
}

function load(functionsFile: string | undefined, env: Record<string, string> = {}) {
  return loadFunctionsFile(parseConfig(functionsConfig, { ...env, FUNCTIONS_FILE: functionsFile }), { env });
}

test('without a file the functions are those of the register, and the log says so', async () => {
  const { lines, logger } = memoryLogger();
  const file = await load(undefined);
  await followedFunctions({ file, shared: recordingRegister(), logger }).start?.(AbortSignal.abort());
  expect(lines).toMatchObject([{ level: 'info', msg: expect.stringContaining('no FUNCTIONS_FILE is set') }]);
});

test('a mistake in the file is a configuration error that names each line', async () => {
  await writeFile(path, 'functions:\n  one: { url: nonsense }\n  two: { url: http://two.test, queue: "a b" }\n');
  const error = await load(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems).toMatchObject([
    { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}:2: `) },
    { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}:3: `) },
  ]);
});

test('a file that does not exist or cannot be read is a configuration error that says so', async () => {
  const missing = await load(path).catch((thrown: unknown) => thrown);
  await mkdir(path);
  const folderInstead = await load(path).catch((thrown: unknown) => thrown);
  for (const [error, code] of [
    [missing, 'ENOENT'],
    [folderInstead, 'EISDIR'],
  ] as const) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toMatchObject([
      { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${path}: cannot be read: ${code}`) },
    ]);
  }
});

test('the environment fills in the variables of a file, and OPENFAAS_URL its gateway', async () => {
  const stack = (image: string) => `provider: { name: openfaas }\nfunctions: { "\${NAME}": { image: "${image}" } }\n`;
  await writeFile(path, stack('${UNSET}'));
  const file = await load(path, { NAME: 'figlet', OPENFAAS_URL: 'http://gw:31112' });
  expect(file?.current.functions.get('figlet')?.url).toBe('http://gw:31112/function/figlet');
});

test('a change of the file is applied, a bad one is logged and ignored, until the signal aborts', async () => {
  const { lines, logger } = memoryLogger();
  const stop = new AbortController();
  await writeFile(path, fileOf('one'));
  const file = await load(path, { QUEUE: 'own' });
  const shared = recordingRegister();
  await followedFunctions({ file, shared, logger }).start?.(stop.signal);
  await writeFile(path, 'functions:\n  two: { url: http://two.test, queue: "${QUEUE}" }\n');
  await eventually(() => shared.taken.length === 1);
  expect(shared.taken).toEqual([['two']]);
  expect(file?.current.functions.get('two')?.queue).toBe('own');
  await writeFile(path, 'functions:\n  three: { url: http://three.test }\n  bad: { url: "http://${UNSET}" }\n');
  const logged = await eventually(() => lines.find(({ level }) => level === 'error'));
  expect(logged['problems']).toEqual([expect.stringContaining(`${path}:3: functions.bad.url \${UNSET} is not set`)]);
  expect([...(file?.current.settings.keys() ?? [])]).toEqual(['two']);
  await writeFile(path, '');
  await eventually(() => shared.taken.length === 2);
  expect(shared.taken[1]).toEqual([]);
  stop.abort();
});

test('the secret files of webhooks belong to the file of a gateway, and a worker reads none of them', async () => {
  const webhook = (file: string) => `webhook: { verify: github, secretFiles: [${file}], maxBytes: 2KiB }`;
  await writeFile(path, `functions:\n  one:\n    url: http://one.test\n    ${webhook('secret')}\n`);
  const checks = {
    maxBodyBytes: 1024,
    callProblems: () => [],
    checkSecretFile: (file: string, verify: string, further: FurtherFiles) => {
      const read = further(file);
      return read.kind === 'text' && read.text === verify ? undefined : 'is wrong';
    },
  };
  const ofGateway = (more = {}) =>
    loadFunctionsFile(parseConfig(functionsConfig, { FUNCTIONS_FILE: path }), { env: {} }, { ...checks, ...more });
  const error = await ofGateway().catch((thrown: unknown) => thrown);
  expect((error as ConfigError).problems.map(({ problem }) => problem)).toEqual([
    `${path}:4: functions.one.webhook.maxBytes is more than MAX_BODY_BYTES of the gateway, 1KiB`,
    `${path}:4: functions.one.webhook.secretFiles.0 secret is wrong`,
  ]);
  expect((await load(path))?.current.functions.get('one')?.webhook?.secretFiles).toEqual(['secret']);

  await writeFile(join(folder, 'secret'), 'github');
  const file = await ofGateway({ maxBodyBytes: 2048 });
  const { lines, logger } = memoryLogger();
  const stop = new AbortController();
  void file?.follow(logger, stop.signal);
  await writeFile(join(folder, 'secret'), 'wrong');
  await eventually(() => lines.some(({ problems }) => JSON.stringify(problems).includes('secret is wrong')));
  stop.abort();
});
