import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import {
  eventually,
  startCallbackReceiver,
  startTestFunction,
  startTraceCollector,
  status,
  type TraceCollector,
} from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { RawPublisher } from './fuzz/raw-publisher.ts';
import { startStack } from './harness/stack.ts';
import { rawExchange, rawPost } from './harness/wire/raw-exchange.ts';

const secret = 'topsecret';

/** A call with a secret in every place that can hold one. */
const request = {
  target: `/${secret}?key=${secret}`,
  headers: {
    Cookie: secret,
    'X-Function-Authorization': `Bearer ${secret}`,
    Authorization: `Bearer ${secret}`,
    'Proxy-Authorization': secret,
    'X-Api-Key': secret,
    'User-Agent': secret,
    Referer: `http://${secret}`,
    'X-Forwarded-For': secret,
    'X-Forwarded-Host': secret,
    baggage: `user=${secret}`,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tracestate: `vendor=${secret}`,
    [`X-${secret}`]: secret,
  },
  body: secret,
};

/** With a user and a password in it, as functions and receivers may have. */
function withCredentials(url: string): string {
  return url.replace('//', `//user:${secret}@`);
}

/** The answers that operators get about functions, and about one that is wrong. */
async function askForFunctions({ gateway }: Stack): Promise<string[]> {
  const put = (url: string) =>
    fetch(`${gateway.url}/system/functions/put`, { method: 'PUT', body: JSON.stringify({ url }) });
  const answers = [
    await put(`http://user:${secret}@*:8080/?token=${secret}`),
    await put(withCredentials('http://put:8080')),
    await fetch(`${gateway.url}/system/functions`),
    await fetch(`${gateway.url}/system/functions/echo`),
  ];
  expect(answers.map((answer) => answer.status)).toEqual([400, 201, 200, 200]);
  return Promise.all(answers.map((answer) => answer.text()));
}

/** A server that does not speak HTTP, but sends the secret. */
async function startNoise() {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end(`${secret} ${secret}\r\n\r\n`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A message that is not a call, and invites a quotation. */
async function publishUndecodable({ nats }: Stack): Promise<void> {
  await using publisher = await RawPublisher.open(nats.port);
  for (const value of [secret, JSON.stringify({ v: secret, id: secret, [secret]: secret })]) {
    const headers = Buffer.from(`NATS/1.0\r\nAsyncfn-Call: ${value}\r\n\r\n`);
    const subject = `calls.default.ready.~.echo.undecodable-${value.length}.~.1`;
    await publisher.publish({ subject, headers, body: Buffer.from(secret) });
  }
  await publisher.flush();
}

/** The answers of a gateway to callers that use the identity of others. */
async function refuseStrangers(stack: Stack): Promise<string[]> {
  const tokens = join(stack.folder, 'tokens.yaml');
  const hash = `sha256:${'0'.repeat(64)}`;
  await writeFile(tokens, JSON.stringify({ tokens: { shop: { hash, scopes: ['invoke'] } } }));
  const gateway = await stack.startGateway({ AUTH_TOKENS_FILE: tokens });
  await using client = new ApiClient(gateway.url);
  const basic = `Basic ${Buffer.from(`${secret}:${secret}`).toString('base64')}`;
  const answers = [];
  for (const authorization of [`Bearer ${secret}`, basic, secret]) {
    const answer = await client.call('echo', { ...request, headers: { Authorization: authorization } });
    expect(answer.status).toBe(401);
    answers.push(`${JSON.stringify(answer.headers)} ${answer.text}`);
  }
  return answers;
}

async function refuseBadRequests(client: ApiClient, url: string): Promise<string[]> {
  const withHeader = (name: string, value: string) =>
    client.call('echo', { ...request, headers: { ...request.headers, [name]: value } });
  const answers = [
    await client.call('unknown', request),
    await client.call(`${secret}!`, request),
    await withHeader('X-Callback-Url', `ftp://${secret}`),
    await withHeader('X-Callback-Url', `http://user:${secret}@10.1.2.3/?token=${secret}`),
    await withHeader('X-Call-Id', `${secret}!`),
    await withHeader('Idempotency-Key', `${secret} ${secret}`),
    await withHeader('X-Timeout', secret),
    await withHeader('X-Max-Retries', secret),
    await withHeader('X-Label', `${secret}!`),
    await withHeader('X-Delay', secret),
    await withHeader('X-Not-Before', secret),
    await withHeader('X-Expires-In', secret),
  ];
  expect(answers.map((answer) => Math.floor(answer.status / 100))).toEqual(answers.map(() => 4));
  const raw = [
    await rawExchange(url, rawPost(`/async-function/echo ${secret}`)),
    await rawExchange(url, rawPost('/async-function/echo', [`X ${secret}: ${secret}`])),
  ];
  return [...answers.map(({ text, headers }) => `${text} ${JSON.stringify(headers)}`), ...raw.map(({ body }) => body)];
}

/** The same key with another body is a refusal as well; the key itself is a secret. */
async function refuseReusedKey(client: ApiClient): Promise<string> {
  const headers = { ...request.headers, 'Idempotency-Key': secret };
  await client.accept('echo', { ...request, headers });
  const answer = await client.call('echo', { ...request, headers, body: `${secret}2` });
  expect(answer.code).toBe('idempotency_key_reused');
  return answer.text;
}

/** Registers a webhook whose secrets are secret, and sends it what is signed and what is not. */
async function sendWebhooks({ gateway }: Stack): Promise<string[]> {
  const webhook = { verify: 'github', secretFiles: ['hook'], verifyToken: secret };
  const registered = await fetch(`${gateway.url}/system/functions/hooked`, {
    method: 'PUT',
    body: JSON.stringify({ url: 'http://127.0.0.1:9', retry: { attempts: 0 }, webhook }),
  });
  const signed = `sha256=${createHmac('sha256', secret).update(secret).digest('hex')}`;
  const send = (path: string, signature: string) =>
    fetch(`${gateway.url}/webhook/${path}?${secret}`, {
      method: 'POST',
      headers: { 'X-Hub-Signature-256': signature, 'X-GitHub-Delivery': secret, Cookie: secret },
      body: secret,
    });
  await eventually(async () => (await send('hooked', signed)).status === 200);
  const answers = [
    registered,
    await send('hooked', signed),
    await send(`hooked/${secret}`, `sha256=${secret}`),
    await send(secret, signed),
    await fetch(`${gateway.url}/webhook/hooked?hub.mode=subscribe&hub.challenge=1&hub.verify_token=${secret}1`),
    await fetch(`${gateway.url}/system/functions/hooked`),
  ];
  expect(answers.map((answer) => answer.status)).toEqual([201, 200, 401, 401, 401, 200]);
  return Promise.all(answers.map(async (answer) => `${JSON.stringify([...answer.headers])} ${await answer.text()}`));
}

async function flushTraces(stack: Stack, collector: TraceCollector): Promise<void> {
  await Promise.all([...stack.gateways, ...stack.workers].map((app) => app.stop()));
  await eventually(() => collector.spans.length > 0);
}

test('no body, header, path, query or credential appears in a log, a metric, a trace, a state or an error', async () => {
  await using collector = await startTraceCollector();
  await using fn = await startTestFunction();
  await using broken = await startTestFunction({ handler: (_, response) => void response.destroy() });
  const told = { body: secret, headers: { 'X-A': secret, Location: `http://${secret}/`, 'Set-Cookie': secret } };
  await using failing = await startTestFunction({ handler: status(500, told) });
  await using rejecting = await startTestFunction({ handler: status(403, told) });
  await using large = await startTestFunction({ handler: (_, response) => void response.end(secret.repeat(1_000)) });
  await using noise = await startNoise();
  await using inbox = await startCallbackReceiver({ respond: status(400, { body: secret }) });
  await using gone = await startCallbackReceiver({ respond: status(410, { body: secret }) });
  const retry = { attempts: 1, minWait: '10ms', maxWait: '10ms' };
  const hosts = { broken: broken.url, failing: failing.url, rejecting: rejecting.url, large: large.url };
  const troubles = {
    ...hosts,
    refused: 'http://127.0.0.1:9',
    'no-tls': fn.url.replace('http:', 'https:'),
    noise: `http://${noise.host}`,
  };
  const secretsFolder = await mkdtemp(join(tmpdir(), 'privacy-'));
  await writeFile(join(secretsFolder, 'hook'), secret);
  await using stack = await startStack({
    gatewayEnv: { WEBHOOK_SECRETS_DIR: secretsFolder },
    functions: {
      echo: withCredentials(fn.url),
      ...Object.fromEntries(
        Object.entries(troubles).map(([name, url]) => [name, { url: withCredentials(url), retry }]),
      ),
    },
    env: {
      LOG_LEVEL: 'trace',
      CALLBACK_PORTS: '1-65535',
      MAX_RESPONSE_BYTES: '2KiB',
      CALLBACK_RETRY_SCHEDULE: '10ms',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    },
  });
  await using client = new ApiClient(stack.gateway.url);
  await using asker = new CallClient(stack.gateway.url);
  const { gateway, worker } = stack;

  const receivers = [
    inbox.url,
    gone.url,
    'http://127.0.0.1:9',
    inbox.url.replace('http:', 'https:'),
    `http://${noise.host}`,
  ];
  const callIds: string[] = [];
  for (const receiver of receivers) {
    const callbackUrl = `${withCredentials(receiver)}/hook?token=${secret}`;
    for (const name of ['echo', ...Object.keys(troubles)]) {
      callIds.push(await client.accept(name, { ...request, callbackUrl }));
    }
  }
  const plain = await client.accept('echo');
  await publishUndecodable(stack);
  await stack.untilSettled();
  const answers = [
    ...(await refuseBadRequests(client, gateway.url)),
    await refuseReusedKey(client),
    ...(await refuseStrangers(stack)),
    ...(await askForFunctions(stack)),
    ...(await sendWebhooks(stack)),
  ];
  for (const callId of callIds) {
    answers.push(JSON.stringify(await asker.untilEnded(callId)));
  }
  const letters = await fetch(`${gateway.url}/system/dead-letters?limit=100`);
  answers.push(await letters.text());
  const metrics = (await Promise.all([gateway.ops('/metrics'), worker.ops('/metrics')])).map(({ body }) => body);
  await stack.haltNats();
  answers.push((await client.call('echo', request)).text);
  await flushTraces(stack, collector);

  const output = [...stack.gateways, ...stack.workers].flatMap((app) => app.output);
  const said = [...output, ...answers, ...metrics, collector.text];
  const basic = Buffer.from(`user:${secret}`).toString('base64');
  const secrets = [secret, Buffer.from(secret).toString('base64').slice(0, 10), basic.slice(0, 18)];
  expect(said.filter((line) => secrets.some((each) => line.includes(each)))).toEqual([]);
  const authorizations = fn.invocations.map(({ headers }) => headers['authorization']);
  expect(new Set(authorizations)).toEqual(new Set([`Bearer ${secret}`, `Basic ${basic}`]));
  expect(fn.byCallId(plain)[0]?.headers['authorization']).toBe(`Basic ${basic}`);
  // The intended paths were taken.
  const reasons = new Set(worker.logged('call failed').map(({ reason }) => reason));
  expect(reasons).toEqual(new Set(['retries_exhausted', 'rejected', 'response_too_large', 'undecodable']));
  expect(worker.logged('callback not delivered').length).toBeGreaterThan(receivers.length);
  expect(worker.logged('function gave no answer').length).toBeGreaterThan(20);
  expect(collector.spans.length).toBeGreaterThan(100);
  expect(collector.spans.map(({ name }) => name)).toContain('POST /webhook/:name');
  await rm(secretsFolder, { recursive: true });
});
