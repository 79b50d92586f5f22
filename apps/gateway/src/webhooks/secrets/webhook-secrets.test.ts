import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FileDefinition,
  type FunctionConfig,
  FunctionRegister,
  parseFunctionsFile,
  toWebhookConfig,
  type WebhookConfig,
} from '@asyncfn/queue-core/functions';
import { createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { functionConfig } from '../../../test/gateway-fixture.ts';
import { locateSecret } from './locate-secret.ts';
import { WebhookSecrets } from './webhook-secrets.ts';

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'webhook-secrets-'));
  folder = join(root, 'secrets');
  await mkdir(folder);
  await writeFile(join(folder, 'one'), 'first\n');
  await writeFile(join(folder, 'two'), 'second');
});

afterEach(() => rm(root, { recursive: true }));

function webhookOf(...secretFiles: string[]): WebhookConfig {
  return toWebhookConfig({ verify: 'github', secretFiles })!;
}

function taking(name: string, ...secretFiles: string[]): FunctionConfig {
  return { ...functionConfig(name), webhook: webhookOf(...secretFiles) };
}

function definitionOf(functions: object): FileDefinition {
  const parsed = parseFunctionsFile(JSON.stringify({ functions }), 'functions.yaml', {});
  if (parsed.kind === 'refused') {
    throw new Error(parsed.problems.join());
  }
  return parsed.settings;
}

function secretsOf(...functions: FunctionConfig[]) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'info', format: 'json', destination });
  const register = new FunctionRegister({
    functions: new Map(functions.map((each) => [each.name, each])),
    fallback: undefined,
  });
  const places = { functionsFile: undefined, definition: () => undefined, folder };
  const secrets = new WebhookSecrets({ places, register, logger });
  const textsOf = (name: string, ...files: string[]) => secrets.keysOf(name, webhookOf(...files)).map(String);
  return { lines, register, secrets, textsOf };
}

test('the secrets of all functions are known after the start, in the order of their files', async () => {
  const { secrets, textsOf, lines } = secretsOf(taking('a', 'two', 'one'), taking('b', 'one'), functionConfig('c'));
  expect(textsOf('b', 'one')).toEqual([]);
  await secrets.component.start?.(AbortSignal.abort());
  expect([textsOf('a', 'two', 'one'), textsOf('b', 'one')]).toEqual([['second', 'first'], ['first']]);
  // Those of a file that another function names are not for this one.
  expect([textsOf('b', 'two'), textsOf('c', 'one')]).toEqual([[], []]);
  expect(lines).toEqual([]);
});

test('a function that is registered later has its secrets at once', async () => {
  const { register, textsOf } = secretsOf();
  register.replace({ functions: new Map([['a', taking('a', 'one')]]), fallback: undefined });
  await eventually(() => textsOf('a', 'one').length === 1);
});

test('a changed file is read again, and a wrong one is logged once and leaves the last good content in force', async () => {
  const { secrets, textsOf, lines } = secretsOf(taking('a', 'one'));
  await secrets.read();
  await writeFile(join(folder, 'one'), 'third');
  await secrets.read();
  expect(textsOf('a', 'one')).toEqual(['third']);
  await writeFile(join(folder, 'one'), 'top-secret\nline');
  await secrets.read();
  await secrets.read();
  expect(textsOf('a', 'one')).toEqual(['third']);
  await rm(join(folder, 'one'));
  await secrets.read();
  await writeFile(join(folder, 'one'), 'fourth');
  await secrets.read();
  expect(textsOf('a', 'one')).toEqual(['fourth']);
  expect(lines).toMatchObject([
    { level: 'error', function: 'a', file: 'one', problem: expect.stringContaining('must hold one secret') },
    { level: 'error', problem: 'cannot be read: ENOENT', msg: expect.stringContaining('last good content') },
    { level: 'info', msg: 'secret of a webhook can be used again' },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/top-secret|third|fourth/);
});

test('a function whose secret was never good has none, and the log says so', async () => {
  const { secrets, textsOf, lines } = secretsOf(taking('a', 'missing', '../outside'));
  await secrets.read();
  expect(textsOf('a', 'missing', '../outside')).toEqual([]);
  const msg = 'secret of a webhook cannot be used, and what it signs is refused';
  expect(lines).toMatchObject([
    { level: 'error', file: 'missing', problem: 'cannot be read: ENOENT', msg },
    { level: 'error', file: '../outside', problem: 'must be the path of a file below WEBHOOK_SECRETS_DIR', msg },
  ]);
});

test('settings are checked before they are registered', async () => {
  const { secrets } = secretsOf();
  expect(await secrets.problemsOf('a', webhookOf('one', 'missing', folder))).toEqual([
    'webhook.secretFiles.1 cannot be read: ENOENT',
    'webhook.secretFiles.2 must be the path of a file below WEBHOOK_SECRETS_DIR',
  ]);
});

test('the functions file may name any file, everything else only files below the folder', () => {
  const webhook = { verify: 'github', secretFiles: ['own', '/run/secrets/b'] };
  const places = {
    functionsFile: '/etc/asyncfn/functions.yaml',
    definition: () => definitionOf({ a: { url: 'http://a', webhook } }),
    folder: '/secrets/',
  };
  const pathOf = (name: string, file: string, more = {}) => {
    const located = locateSecret(name, file, { ...places, ...more });
    return located.kind === 'path' ? located.path : located.problem;
  };
  const outside = 'must be the path of a file below WEBHOOK_SECRETS_DIR';
  expect([pathOf('a', 'own'), pathOf('a', '/run/secrets/b')]).toEqual(['/etc/asyncfn/own', '/run/secrets/b']);
  expect([pathOf('other', 'own'), pathOf('a', 'x/..y')]).toEqual(['/secrets/own', '/secrets/x/..y']);
  expect([pathOf('other', '/run/secrets/b'), pathOf('a', '../x'), pathOf('a', '.'), pathOf('a', 'x/../..')]).toEqual(
    Array.from({ length: 4 }, () => outside),
  );
  expect(pathOf('a', '/secrets/deep/x')).toBe('/secrets/deep/x');
  expect(pathOf('a', '/secrets-of-others/x')).toBe(outside);
  expect(pathOf('other', 'own', { folder: undefined })).toContain('needs WEBHOOK_SECRETS_DIR');
});
