import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigningSecret, parseSigningSecret } from '@asyncfn/queue-core/webhook';
import { createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadTokenSecrets } from './token-secrets.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-secrets-'));
  path = join(folder, 'tokens.yaml');
});

afterEach(() => rm(folder, { recursive: true }));

const [one, two] = [createSigningSecret(), createSigningSecret()];
const [keyOne, keyTwo] = [parseSigningSecret(one)!, parseSigningSecret(two)!];
const hashOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** Tokens by their names, each with its further settings. */
async function writeTokens(tokens: Record<string, object>): Promise<void> {
  const entries = Object.entries(tokens).map(([name, settings], at) => {
    return `  ${name}: ${JSON.stringify({ hash: hashOf(String(at)), scopes: ['invoke'], ...settings })}\n`;
  });
  await writeFile(path, `tokens:\n${entries.join('')}`);
}

function memoryLogger() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, logger: createLogger({ name: 'test', level: 'info', format: 'json', destination }) };
}

test('without a tokens file there are no secrets of tokens', async () => {
  expect(await loadTokenSecrets({ authTokensFile: undefined })).toBeUndefined();
});

test('each token has the secrets in its file, whose path starts at the folder of the tokens file or at the root', async () => {
  await writeFile(join(folder, 'a.secret'), `${two}\n${one}\n`);
  await writeFile(join(folder, 'b.secret'), one);
  await writeTokens({
    a: { callbackSecretFile: 'a.secret' },
    b: { callbackSecretFile: join(folder, 'b.secret') },
    c: {},
  });
  const file = await loadTokenSecrets({ authTokensFile: path });
  expect(file?.current).toEqual(
    new Map([
      ['a', [keyTwo, keyOne]],
      ['b', [keyOne]],
      ['c', undefined],
    ]),
  );
});

test('all mistakes in the tokens and their secrets are reported at the start, with lines and without a secret', async () => {
  await writeFile(join(folder, 'b.secret'), `${one}\nnot-a-secret`);
  await writeFile(join(folder, 'empty.secret'), '\n');
  await writeTokens({
    a: { callbackSecretFile: 'missing.secret' },
    b: { callbackSecretFile: 'b.secret', scopes: ['write'] },
    c: { callbackSecretFile: '' },
    d: { callbackSecretFile: 'empty.secret' },
  });
  const error = await loadTokenSecrets({ authTokensFile: path }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'config_invalid',
    problems: [
      `${path}:2: tokens.a.callbackSecretFile missing.secret cannot be read: ENOENT`,
      `${path}:3: tokens.b.scopes.0 must be`,
      `${path}:3: tokens.b.callbackSecretFile b.secret holds as number 2`,
      `${path}:4: tokens.c.callbackSecretFile must be the path`,
      `${path}:5: tokens.d.callbackSecretFile empty.secret holds no secret`,
    ].map((problem) => ({ name: 'AUTH_TOKENS_FILE', problem: expect.stringContaining(problem) })),
  });
  expect(JSON.stringify((error as { problems: unknown }).problems)).not.toMatch(/not-a-secret|whsec_[A-Za-z0-9]/);
});

test('new secrets apply, even if only a secret file has changed; a mistake is logged, and the last good ones stay', async () => {
  const { lines, logger } = memoryLogger();
  const secretFile = join(folder, 'a.secret');
  await writeFile(secretFile, one);
  await writeTokens({ a: { callbackSecretFile: 'a.secret' } });
  const file = (await loadTokenSecrets({ authTokensFile: path }))!;
  const stop = new AbortController();
  const followed = file.follow(logger, stop.signal);
  await writeFile(secretFile, `${two}\n${one}`);
  await eventually(() => file.current.get('a')?.length === 2);
  await writeFile(secretFile, 'nonsense');
  await eventually(() => lines.some(({ level }) => level === 'error'));
  expect(file.current.get('a')).toEqual([keyTwo, keyOne]);
  expect(lines.find(({ level }) => level === 'error')).toMatchObject({
    problems: [expect.stringContaining(`${path}:2: tokens.a.callbackSecretFile a.secret holds as number 1`)],
  });
  await writeFile(secretFile, two);
  await eventually(() => file.current.get('a')?.length === 1);
  await writeTokens({ b: {} });
  await eventually(() => file.current.has('b'));
  expect(file.current).toEqual(new Map([['b', undefined]]));
  stop.abort();
  await followed;
});
