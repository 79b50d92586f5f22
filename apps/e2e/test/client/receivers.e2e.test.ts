import { gzipSync } from 'node:zlib';
import { AsyncfnClient } from '@asyncfn/client';
import type { Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  echo,
  eventually,
  freePort,
  hash,
  type RecordedRequest,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentedCode } from '../harness/documents/documented-code.ts';
import { DocumentedProcess } from '../harness/documents/documented-process.ts';
import { startStack } from '../harness/stack.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'; // of `hello`
const oldSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

let functions: Record<string, TestFunction>;
let inbox: CallbackReceiver;
let stack: Stack;
let client: AsyncfnClient;
let pages: string[];

beforeAll(async () => {
  pages = await documentedCode('client.md', 'js');
  functions = {
    hash: await startTestFunction({ handler: hash }),
    echo: await startTestFunction({ handler: echo }),
    thumbnail: await startTestFunction({ handler: echo }),
    empty: await startTestFunction({ handler: status(418) }),
    packed: await startTestFunction({
      handler: (_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' }).end(gzipSync('packed'));
      },
    }),
  };
  inbox = await startCallbackReceiver();
  stack = await startStack({
    functions: Object.fromEntries(Object.entries(functions).map(([name, { url }]) => [name, url])),
    workerEnv: { CALLBACK_SIGNING_SECRETS: secret },
  });
  client = new AsyncfnClient({ url: stack.gateway.url });
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await Promise.all([inbox, ...Object.values(functions)].map((server) => server.close()));
});

/** A receiver as it is printed in the documentation. */
async function startReceiver(name: string) {
  const port = await freePort();
  const mark = name === 'next' ? 'export async function POST' : `from '${name}'`;
  const code = pages.find((page) => page.includes(mark)) ?? '';
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(17);
  const bridge =
    "import { serve } from '@hono/node-server';\nimport { POST } from './route.mjs';\n" +
    `serve({ fetch: POST, port: ${port} });\n`;
  const files = name === 'next' ? { 'main.mjs': bridge, 'route.mjs': code } : { 'main.mjs': code };
  // A secret that no longer signs is still accepted.
  const env = { PORT: String(port), CALLBACK_SECRETS: `${oldSecret},${secret}` };
  const receiver = await DocumentedProcess.start(files, env);
  const url = `http://127.0.0.1:${port}/callbacks`;
  await eventually(
    () =>
      fetch(url, { method: 'POST' }).then(
        () => true,
        () => false,
      ),
    { message: name },
  );
  return { url, receiver };
}

/** Sends a callback as it came, with changes. */
async function send(url: string, { headers, body }: RecordedRequest, changes: Record<string, string>, sent = body) {
  const names = ['x-call-id', 'x-function-name', 'x-function-status', 'x-callback-signature', 'content-type'];
  const ofWebhook = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const same = [...names, ...ofWebhook].map((name) => [name, String(headers[name] ?? '')]);
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...Object.fromEntries(same), ...changes },
    body: new Uint8Array(sent),
  });
  return response.status;
}

test.each(['fastify', 'express', 'hono', 'next'])(
  'the receiver for %s takes what is genuine and nothing else',
  async (name) => {
    const { url, receiver } = await startReceiver(name);
    await using _ = receiver;
    const ids = new Map<string, string>();
    for (const called of ['hash', 'empty', 'packed']) {
      ids.set(called, (await client.call(called, 'hello', { callbackUrl: url })).callId);
    }
    for (const callId of ids.values()) {
      const isDelivered = async () => (await client.get(callId)).callback?.status === 'delivered';
      await eventually(isDelivered, { message: `${callId} of ${name}: ${receiver.lines.join('\n')}` });
    }
    expect(receiver.lines.filter((line) => line.includes(`${ids.get('hash')} 200 ${digest}`))).toHaveLength(1);
    expect(receiver.lines.some((line) => line.trim() === `${ids.get('empty')} 418`)).toBe(true);
    expect(receiver.lines.some((line) => line.startsWith(`${ids.get('packed')} 200`))).toBe(true);

    await client.call('hash', 'hello', { callbackUrl: inbox.url, callId: `forged-${name}` });
    const genuine = await eventually(() => inbox.byCallId(`forged-${name}`)[0] ?? false);
    const seen = receiver.lines.length;
    const longAgo = Math.floor(Date.now() / 1000) - 301;
    const signedLongAgo = new Webhook(secret).sign(`forged-${name}`, new Date(longAgo * 1000), genuine.body.toString());
    const forgeries = [
      send(url, genuine, { 'webhook-signature': 'v1,AAAA' }),
      send(url, genuine, { 'x-function-status': '500' }),
      send(url, genuine, {}, Buffer.from('other')),
      send(url, genuine, { 'webhook-timestamp': String(longAgo), 'webhook-signature': signedLongAgo }),
    ];
    expect(await Promise.all(forgeries)).toEqual([401, 401, 401, 401]);
    expect(receiver.lines.slice(seen).filter((line) => line.startsWith('forged'))).toEqual([]);
    expect(await send(url, genuine, {})).toBe(204);
  },
);

test('the example of the README runs as it stands', async () => {
  const [example = ''] = await documentedCode('../packages/client/README.md', 'js');
  await using process = await DocumentedProcess.start({ 'example.mjs': example }, { ASYNCFN_URL: stack.gateway.url });
  expect(await process.exited()).toBe(0);
  expect(process.lines).toEqual([`succeeded 200 ${digest}`]);
});

test('the examples of the documentation run as they stand, one after the other', async () => {
  const examples = pages.filter((page) => !page.includes('verifyCallback')).join('\n');
  await using process = await DocumentedProcess.start({ 'example.mjs': examples }, { ASYNCFN_URL: stack.gateway.url });
  const isRunning = async () => {
    await client.call('hash', 'an event');
    return process.lines.some((line) => /^(accepted|started|attempt|ended) /.test(line));
  };
  await eventually(isRunning, { message: process.lines.join('\n') });
  expect(process.lines[0]).toBe('succeeded 200 application/json {"image":"a.png"}');
  expect(process.lines).toContain('0 succeeded 200 a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e');
  expect(process.lines).toContain('1 succeeded 200 {"second":true}');
});
