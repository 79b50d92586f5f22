import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { manager, startGateway, startReadyGateway, storedCalls } from './running-gateway.ts';
import { testToken, tokensFileOf } from './test-tokens.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokens-'));
  path = join(folder, 'tokens.yaml');
});

afterEach(() => rm(folder, { recursive: true }));

async function status(url: string, authorization: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await request(url, { method: 'POST', headers: { authorization, ...headers }, body: 'hello' });
  await answer.body.dump();
  return answer.statusCode;
}

test('tokens come and go with their file, without a restart', async () => {
  const first = testToken('first', { scopes: ['invoke'] });
  const second = testToken('second', { scopes: ['invoke'] });
  await writeFile(path, tokensFileOf([first]));
  await using running = await startReadyGateway({ AUTH_TOKENS_FILE: path });
  const statuses = async () => [await status(running.url, first.bearer), await status(running.url, second.bearer)];
  expect(await statuses()).toEqual([202, 401]);

  await writeFile(path, tokensFileOf([first, second]));
  await eventually(async () => (await status(running.url, second.bearer)) === 202);
  expect(await statuses()).toEqual([202, 202]);

  await writeFile(path, tokensFileOf([second]));
  await eventually(async () => (await status(running.url, first.bearer)) === 401);
  expect(await statuses()).toEqual([401, 202]);
});

test('a stored call names its token, and holds no other trace of it', async () => {
  const token = testToken('partner', { scopes: ['invoke'] });
  await writeFile(path, tokensFileOf([token]));
  await using running = await startReadyGateway({ AUTH_TOKENS_FILE: path });
  await status(running.url, token.bearer, { 'X-Function-Authorization': 'Bearer for-the-function' });
  await status(running.url, token.basic);
  await using nats = await manager(inject('natsUrl'));
  const calls = await storedCalls(nats.streams, running.queue);
  expect(calls.map(({ submitter }) => submitter)).toEqual(['partner', 'partner']);
  expect(calls[0]?.headers).toContainEqual(['Authorization', 'Bearer for-the-function']);
  expect(JSON.stringify(calls)).not.toContain(token.secret);
  expect(JSON.stringify(calls)).not.toContain(token.basic.replace('Basic ', ''));
});

test('a stored call says that its token has a secret of its own, and nothing else about it', async () => {
  // The gateway does not read the file, so it need not exist.
  const own = testToken('own', { scopes: ['invoke'], callbackSecretFile: '/secrets/of-its-own' });
  const common = testToken('common', { scopes: ['invoke'] });
  await writeFile(path, tokensFileOf([own, common]));
  await using running = await startReadyGateway({ AUTH_TOKENS_FILE: path });
  await status(running.url, own.bearer);
  await status(running.url, common.bearer);
  await using nats = await manager(inject('natsUrl'));
  const calls = await storedCalls(nats.streams, running.queue);
  expect(calls.map(({ submitter, ownSecret }) => [submitter, ownSecret])).toEqual([
    ['own', true],
    ['common', undefined],
  ]);
  expect(JSON.stringify(calls)).not.toContain('of-its-own');
});

test('mistakes in the tokens and in the functions are reported together', async () => {
  await writeFile(path, 'tokens:\n  a: { scopes: [read] }\n');
  const functionsFile = join(folder, 'functions.yaml');
  await writeFile(functionsFile, 'functions:\n  a: { url: nonsense }\n');
  const started = startGateway(inject('natsUrl'), { AUTH_TOKENS_FILE: path, FUNCTIONS_FILE: functionsFile });
  await expect(started).rejects.toMatchObject({
    code: 'config_invalid',
    problems: expect.arrayContaining([
      { name: 'AUTH_TOKENS_FILE', problem: expect.stringContaining(`${path}:2: tokens.a.hash`) },
      { name: 'FUNCTIONS_FILE', problem: expect.stringContaining(`${functionsFile}:2: functions.a.url`) },
    ]),
  });
});

test('without tokens a gateway answers to loopback names, and to those in its settings', async () => {
  await using running = await startReadyGateway({ ALLOWED_HOSTS: 'gateway, *.internal.example' });
  const answers = ['localhost:8080', 'gateway:8080', 'a.internal.example', 'evil.example'].map((host) =>
    request(running.url, { method: 'POST', headers: { host } }),
  );
  const codes = (await Promise.all(answers)).map(({ statusCode }) => statusCode);
  expect(codes).toEqual([202, 202, 202, 403]);
});
