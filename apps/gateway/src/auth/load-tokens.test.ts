import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@asyncfn/service-kit';
import { formatHash, hashToken } from '@asyncfn/tokens';
import { describe, expect, test } from 'vitest';
import { gatewayConfig } from '../config.ts';
import { loadTokens } from './load-tokens.ts';

const load = (env: Record<string, string>) => loadTokens(parseConfig(gatewayConfig, env));

describe('without a file the API', () => {
  test('is open on loopback', async () => {
    expect(await load({ HOST: '127.0.0.1' })).toBeUndefined();
  });

  test.each([{}, { HOST: '::' }, { HOST: '10.1.2.3' }])('does not start if others can reach it: %j', async (env) => {
    await expect(load(env)).rejects.toMatchObject({
      code: 'config_invalid',
      problems: [{ name: 'AUTH_TOKENS_FILE', problem: expect.stringContaining('AUTH=none') }],
    });
  });

  test('is open to others if a setting says so', async () => {
    expect(await load({ HOST: '0.0.0.0', AUTH: 'none' })).toBeUndefined();
  });

  test('does not start anywhere if tokens are required', async () => {
    await expect(load({ HOST: '127.0.0.1', AUTH: 'tokens' })).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

test('a file and AUTH=none contradict each other', async () => {
  await expect(load({ AUTH: 'none', AUTH_TOKENS_FILE: '/tokens' })).rejects.toMatchObject({
    problems: [{ name: 'AUTH' }],
  });
});

test('a file is read, and errors name the line of each mistake', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  const path = join(folder, 'tokens.yaml');
  const env = { AUTH_TOKENS_FILE: path };
  await writeFile(path, `tokens:\n  a: { hash: "${formatHash(hashToken('a'))}", scopes: [read] }\n`);
  expect((await load(env))?.current).toMatchObject([{ name: 'a' }]);
  await writeFile(path, 'tokens:\n  a: { scopes: [write] }\n  b: 5\n');
  await expect(load(env)).rejects.toMatchObject({
    problems: [
      `${path}:2: tokens.a.hash is missing`,
      `${path}:2: tokens.a.scopes.0 must be`,
      `${path}:3: tokens.b must be`,
    ].map((problem) => ({ name: 'AUTH_TOKENS_FILE', problem: expect.stringContaining(problem) })),
  });
  await rm(folder, { recursive: true });
});
