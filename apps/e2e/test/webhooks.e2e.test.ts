import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, type AppProcess, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

/** Folder of the secrets that functions of the API may name; those of the functions file are beside it. */
let folder: string;
let target: TestFunction;
let stack: Stack;

const body = '{"action":"opened","number":7}';

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'webhooks-'));
  folder = join(root, 'secrets');
  await mkdir(folder);
  await writeFile(join(root, 'github'), 'first secret\n');
  await writeFile(join(folder, 'stripe'), 'whsec_stripe\n');
  target = await startTestFunction();
  stack = await startStack({
    functions: {
      github: { url: target.url, webhook: { verify: 'github', secretFiles: [join(root, 'github')] } },
      plain: target.url,
    },
    gateways: 2,
    gatewayEnv: { WEBHOOK_SECRETS_DIR: folder },
  });
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await rm(join(folder, '..'), { recursive: true });
});

const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');

async function post(gateway: AppProcess, path: string, headers: Record<string, string>, sent = body) {
  const answer = await fetch(`${gateway.url}/webhook/${path}`, { method: 'POST', headers, body: sent });
  return { status: answer.status, callId: answer.headers.get('x-call-id'), text: await answer.text() };
}

/** A delivery of GitHub. */
function deliver(gateway: AppProcess, id: string, key = 'first secret', sent = body) {
  const headers = { 'X-GitHub-Delivery': id, 'X-Hub-Signature-256': `sha256=${hmac(key, sent)}` };
  return post(gateway, 'github/hooks?from=github', headers, sent);
}

/** Waits until every call before this moment has been invoked: one more comes last. Returns how many were. */
async function untilInvoked(): Promise<number> {
  await using client = new ApiClient(stack.gateway.url);
  const last = await client.accept('github');
  await eventually(() => target.countBy(last) === 1);
  return target.invocations.length;
}

function gatewayAt(index: number): AppProcess {
  return stack.gateways[index % stack.gateways.length] ?? stack.gateway;
}

test('the same delivery a hundred times over two gateways is one call, which the function gets as it was sent', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => deliver(gatewayAt(at), 'delivery-1')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ callId }) => callId)).size).toBe(1);
  await untilInvoked();
  expect(target.countBy(answers[0]?.callId ?? '')).toBe(1);
  const [invocation] = target.invocations;
  expect(invocation).toMatchObject({
    url: '/hooks?from=github',
    headers: { 'x-github-delivery': 'delivery-1', 'x-hub-signature-256': `sha256=${hmac('first secret', body)}` },
  });
  expect(invocation?.body.toString()).toBe(body);

  // Sent again with another body: a call of its own, once.
  const others = await Promise.all(
    Array.from({ length: 10 }, (_, at) => deliver(gatewayAt(at), 'delivery-1', 'first secret', '{"another":1}')),
  );
  expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(others.map(({ callId }) => callId)).size).toBe(1);
  await untilInvoked();
  expect(target.countBy(others[0]?.callId ?? '')).toBe(1);
});

test('what is not signed makes no call', async () => {
  const before = await untilInvoked();
  const answers = await Promise.all([
    deliver(gatewayAt(0), 'delivery-2', 'wrong secret'),
    post(gatewayAt(0), 'plain', {}),
    post(gatewayAt(0), 'unknown', {}),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(await untilInvoked()).toBe(before + 1);
});

test('a secret that changes is in force within seconds, on every gateway', async () => {
  await writeFile(join(folder, '..', 'github'), 'second secret\n');
  const statusesOf = (key: string) =>
    Promise.all(stack.gateways.map(async (gateway) => (await deliver(gateway, `to-${gateway.pid}`, key)).status));
  await eventually(async () => (await statusesOf('second secret')).every((status) => status === 200));
  expect(await statusesOf('first secret')).toEqual([401, 401]);
  // A file that is gone does not take its secret with it.
  await rm(join(folder, '..', 'github'));
  await stack.gateway.untilLogged('secret of a webhook cannot be used, its last good content stays in force');
  expect(await statusesOf('second secret')).toEqual([200, 200]);
  await writeFile(join(folder, '..', 'github'), 'second secret\n');
});

test('a webhook that the API has registered takes deliveries on every gateway, and shows no token', async () => {
  const operator = new Operator(gatewayAt(0).url);
  const webhook = { verify: 'stripe', secretFiles: ['stripe'], verifyToken: 'hidden-token' };
  expect((await operator.register('stripe', { url: target.url, webhook })).status).toBe(201);
  const shown = await operator.show('stripe');
  expect(shown.body).toMatchObject({ webhook: { verify: 'stripe', secretFiles: ['stripe'] } });
  expect(JSON.stringify(shown.body)).not.toContain('hidden-token');
  const time = Math.floor(Date.now() / 1000);
  const event = '{"id":"evt_1"}';
  const headers = { 'Stripe-Signature': `t=${time},v1=${hmac('whsec_stripe', `${time}.${event}`)}` };
  for (const gateway of stack.gateways) {
    await eventually(async () => (await post(gateway, 'stripe', headers, event)).status === 200);
  }
  // What was read can be written back.
  expect((await operator.register('stripe', shown.body as object)).status).toBe(200);
  const query = 'hub.mode=subscribe&hub.challenge=42&hub.verify_token=hidden-token';
  await eventually(async () => {
    const answer = await fetch(`${gatewayAt(1).url}/webhook/stripe?${query}`);
    return (await answer.text()) === '42';
  });
});

test('the API cannot name files outside of the folder for secrets', async () => {
  const operator = new Operator(gatewayAt(0).url);
  const secretFiles = ['../github', '/etc/passwd', 'missing', '.'];
  const { status, body: refused } = await operator.register('a', {
    url: target.url,
    webhook: { verify: 'github', secretFiles },
  });
  expect(status).toBe(400);
  expect(refused).toMatchObject({
    code: 'invalid_function',
    detail:
      'webhook.secretFiles.0 must be the path of a file below WEBHOOK_SECRETS_DIR; ' +
      'webhook.secretFiles.1 must be the path of a file below WEBHOOK_SECRETS_DIR; ' +
      'webhook.secretFiles.2 cannot be read: ENOENT; ' +
      'webhook.secretFiles.3 must be the path of a file below WEBHOOK_SECRETS_DIR.',
  });
});

test('a gateway does not start with a secret that it cannot read, and names the line; a worker needs no secrets', async () => {
  const functionsFile = join(folder, 'functions.yaml');
  const webhook = '{ verify: standard, secretFiles: [missing, stripe] }';
  await writeFile(functionsFile, `functions:\n  a:\n    url: http://a.test\n    webhook: ${webhook}\n`);
  await using gateway = await stack.spawn('gateway', { FUNCTIONS_FILE: functionsFile });
  expect(await gateway.ended()).toMatchObject({ code: 78 });
  const text = gateway.stderr.join('\n');
  expect(text).toContain(`${functionsFile}:4: functions.a.webhook.secretFiles.0 missing cannot be read: ENOENT`);
  expect(text).toContain(
    `${functionsFile}:4: functions.a.webhook.secretFiles.1 stripe must hold a secret of Standard Webhooks`,
  );
  expect(text).not.toContain('whsec_stripe');
  await using worker = await stack.spawn('worker', { FUNCTIONS_FILE: functionsFile });
  await worker.untilReady();
});
