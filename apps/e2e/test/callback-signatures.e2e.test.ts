import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  eventually,
  type RecordedRequest,
  startCallbackReceiver,
  startTestFunction,
  type TestFunction,
} from '@asyncfn/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentedCode, loadDocumentedModule, runDocumentedPython } from './harness/documents/documented-code.ts';
import { startStack } from './harness/stack.ts';

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const secrets = { common: secretOf(1), a: secretOf(2), b: secretOf(3), newA: secretOf(4) } as const;
type SecretName = keyof typeof secrets;

let folder: string;
let tokensFile: string;
let fn: TestFunction;
let inbox: CallbackReceiver;
let stack: Stack;
let client: ApiClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signatures-'));
  tokensFile = join(folder, 'tokens.yaml');
  await writeSecrets('a', 'a');
  await writeSecrets('b', 'b');
  await writeTokens(['a', 'b', 'shop']);
  fn = await startTestFunction();
  inbox = await startCallbackReceiver();
  stack = await startStack({
    functions: { echo: fn.url, 'echo.team': fn.url },
    env: { AUTH_TOKENS_FILE: tokensFile },
    workerEnv: {
      CALLBACK_SIGNING_SECRETS: secrets.common,
      CALLBACK_RETRY_SCHEDULE: Array.from({ length: 60 }, () => '500ms').join(','),
    },
  });
  client = new ApiClient(stack.gateway.url);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await inbox[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The secrets of a file, newest first. */
async function writeSecrets(file: string, ...names: SecretName[]): Promise<void> {
  await replaceFile(join(folder, `${file}.secret`), names.map((name) => `${secrets[name]}\n`).join(''));
}

/** Tokens whose text is their name. A token with the name of a file of secrets has that file. */
async function writeTokens(names: readonly string[]): Promise<void> {
  const entries = names.map((name) => {
    const hash = `sha256:${createHash('sha256').update(name).digest('hex')}`;
    const own = name === 'shop' ? {} : { callbackSecretFile: `${name}.secret` };
    return [name, { hash, scopes: ['invoke'], ...own }] as const;
  });
  await replaceFile(tokensFile, JSON.stringify({ tokens: Object.fromEntries(entries) }));
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

function accept(token: string, callId: string, name = 'echo', body = '{"total":"12 €"}'): Promise<string> {
  const headers = { Authorization: `Bearer ${token}`, 'X-Call-Id': callId };
  return client.accept(name, { headers, body, callbackUrl: inbox.url });
}

async function delivered(callId: string, count = 1): Promise<RecordedRequest> {
  return await eventually(() => inbox.byCallId(callId)[count - 1], { message: `no callback of ${callId}` });
}

/** The secrets whose signatures a callback carries, as the public package verifies them. */
function signersOf({ headers, body }: RecordedRequest): SecretName[] {
  const names = Object.keys(secrets) as SecretName[];
  return names.filter((name) => {
    try {
      new Webhook(secrets[name]).verify(body, headers as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  });
}

describe('the secrets of a token', () => {
  test('sign the callbacks of its calls, and no other secret does', async () => {
    const tokens = ['a', 'b', 'shop'];
    await Promise.all(tokens.map((token) => accept(token, `of-${token}`)));
    const callbacks = await Promise.all(tokens.map((token) => delivered(`of-${token}`)));
    expect(callbacks.map(signersOf)).toEqual([['a'], ['b'], ['common']]);
  });

  test('rotate while everything runs: both sign as long as the file holds both', async () => {
    await writeSecrets('a', 'newA', 'a');
    await stack.worker.untilLogged('settings file reloaded');
    await accept('a', 'rotating');
    const callback = await delivered('rotating');
    expect(signersOf(callback)).toEqual(['a', 'newA']);
    await writeSecrets('a', 'newA');
    await eventually(() => stack.worker.logged('settings file reloaded').length === 2);
    await accept('a', 'rotated');
    expect(signersOf(await delivered('rotated'))).toEqual(['newA']);
    await writeSecrets('a', 'a');
    await eventually(() => stack.worker.logged('settings file reloaded').length === 3);
  });

  test('that are wrong are logged with their place, and the last good ones still sign', async () => {
    await writeFile(join(folder, 'b.secret'), 'whsec_nonsense');
    const line = await stack.worker.untilLogged('settings file is wrong, the last good one stays in force');
    expect(line).toMatchObject({
      setting: 'AUTH_TOKENS_FILE',
      problems: [expect.stringContaining(`${tokensFile}:1: tokens.b.callbackSecretFile b.secret holds as number 1`)],
    });
    await accept('b', 'last-good');
    expect(signersOf(await delivered('last-good'))).toEqual(['b']);
    await writeSecrets('b', 'b');
  });

  test('are never replaced by the common ones when their token is removed: nothing signs until it is back', async () => {
    inbox.handler = ({ headers }, response) => {
      response.writeHead(headers['webhook-signature'] === undefined ? 401 : 500).end();
    };
    await accept('b', 'removed');
    await delivered('removed');
    await writeTokens(['a', 'shop']);
    const unsigned = await eventually(() => inbox.byCallId('removed').find((each) => signersOf(each).length === 0));
    expect(unsigned.headers).not.toHaveProperty('webhook-signature');
    expect(unsigned.headers).not.toHaveProperty('x-callback-signature');
    const sentence = 'callback is not signed: its token is not in AUTH_TOKENS_FILE';
    await stack.worker.untilLogged(sentence);
    expect(stack.worker.logged(sentence)).toMatchObject([
      { level: 'error', token: 'b', callId: 'removed', function: 'echo' },
    ]);
    inbox.handler = ({ headers }, response) => {
      response.writeHead(headers['webhook-signature'] === undefined ? 401 : 204).end();
    };
    await writeTokens(['a', 'b', 'shop']);
    await eventually(() => signersOf(inbox.byCallId('removed').at(-1)!).join() === 'b');
    expect(inbox.byCallId('removed').flatMap(signersOf)).not.toContain('common');
  });

  test('are known to a worker before it starts, or it does not start and names all mistakes', async () => {
    const path = join(folder, 'bad.yaml');
    await writeFile(
      path,
      'tokens:\n  a: { callbackSecretFile: missing }\n  b: { hash: x, callbackSecretFile: b.secret }\n',
    );
    const worker = await stack.spawn('worker', { AUTH_TOKENS_FILE: path });
    expect(await worker.exited).toMatchObject({ code: 78 });
    for (const problem of [
      `${path}:2: tokens.a.callbackSecretFile missing cannot be read`,
      `${path}:3: tokens.b.hash`,
    ]) {
      expect(worker.tail).toContain(problem);
    }
  });

  test('sign nothing if the worker has no tokens file, and its log says what to set', async () => {
    await using own = await startStackWithoutFile();
    await using ownClient = new ApiClient(own.gateway.url);
    const headers = { Authorization: 'Bearer a', 'X-Call-Id': 'without-file' };
    await ownClient.accept('echo', { headers, callbackUrl: inbox.url });
    expect(signersOf(await delivered('without-file'))).toEqual([]);
    await own.worker.untilLogged(
      'callback is not signed: its token has a secret of its own, and AUTH_TOKENS_FILE of this worker is not set',
    );
  });
});

function startStackWithoutFile(): Promise<Stack> {
  return startStack({
    functions: { echo: fn.url },
    gatewayEnv: { AUTH_TOKENS_FILE: tokensFile },
    workerEnv: { CALLBACK_SIGNING_SECRETS: secrets.common },
  });
}

describe('the code in docs/callbacks.md accepts a real callback, and none with a changed fact', () => {
  type Delivery = Pick<RecordedRequest, 'body'> & { readonly headers: Record<string, string> };
  let genuine: Delivery;
  let forged: readonly Delivery[];

  beforeAll(async () => {
    await accept('a', 'documented', 'echo.team');
    const { headers, body } = await delivered('documented');
    genuine = { headers: headers as Record<string, string>, body };
    const changed = (changes: Record<string, string>): Delivery => ({
      ...genuine,
      headers: { ...genuine.headers, ...changes },
    });
    forged = [
      changed({ 'x-function-status': '500' }),
      changed({ 'x-function-name': 'echo' }),
      changed({ 'x-call-id': 'other' }),
      changed({ 'webhook-timestamp': '1614265330' }),
      changed({ 'x-callback-signature': genuine.headers['webhook-signature'] ?? '' }),
      changed({ 'x-callback-signature': '' }),
      { ...genuine, body: Buffer.from('{"total":"13 €"}') },
    ];
  });

  test('JavaScript', async () => {
    const [plain = ''] = await documentedCode('callbacks.md', 'js');
    const { isGenuine } = (await loadDocumentedModule(plain, folder, 'plain')) as {
      isGenuine: (secret: string, headers: Record<string, string>, body: Buffer) => boolean;
    };
    expect(isGenuine(secrets.a, genuine.headers, genuine.body)).toBe(true);
    expect(isGenuine(secrets.b, genuine.headers, genuine.body)).toBe(false);
    expect(forged.map(({ headers, body }) => isGenuine(secrets.a, headers, body))).toEqual(forged.map(() => false));
  });

  test('JavaScript with the standardwebhooks package', async () => {
    const [, withPackage = ''] = await documentedCode('callbacks.md', 'js');
    const { openCallback } = (await loadDocumentedModule(withPackage, folder, 'package')) as {
      openCallback: (secret: string, headers: Record<string, string>, body: Buffer) => unknown;
    };
    expect(openCallback(secrets.a, genuine.headers, genuine.body)).toEqual({ total: '12 €' });
    for (const { headers, body } of forged) {
      expect(() => openCallback(secrets.a, headers, body)).toThrow();
    }
  });

  test('Python', async () => {
    const [code = ''] = await documentedCode('callbacks.md', 'python');
    const deliveries = [genuine, ...forged].map(({ headers, body }) => ({ headers, body: body.toString('base64') }));
    const lines = `print([is_genuine(given["secret"], d["headers"], base64.b64decode(d["body"])) for d in given["deliveries"]])`;
    const run = (secret: string): Promise<string> => runDocumentedPython(code, lines, { secret, deliveries });
    expect(await run(secrets.a)).toBe(`[True, ${forged.map(() => 'False').join(', ')}]`);
    expect(await run(secrets.b)).not.toContain('True');
  });
});
