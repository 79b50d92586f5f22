import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  type DnsServer,
  gate,
  type RequestHandler,
  startCallbackReceiver,
  startDnsServer,
  startTestFunction,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAsQuiet, measureService, type Service } from './harness/neighbour.ts';
import { startStack } from './harness/stack.ts';

// One caller has receivers that hang and names that no DNS server answers; another one's calls and callbacks are
// measured.

let dns: DnsServer;
let fn: TestFunction;
let stack: Stack;
/** Answers at once, except for paths that begin with /hang. On all addresses of this machine. */
let receiver: CallbackReceiver;
let client: ApiClient;

const hanging = gate().handler;
const respond: RequestHandler = (request, response) =>
  request.url.startsWith('/hang')
    ? hanging(request, response)
    : void response.writeHead(204, { connection: 'close' }).end();

beforeAll(async () => {
  dns = await startDnsServer(({ name }) => (name.endsWith('tarpit.example') ? 'silence' : ['127.0.0.1']));
  // Each request looks its name up: no connection is used twice.
  fn = await startTestFunction({
    handler: (_, response) => void response.writeHead(200, { connection: 'close' }).end(),
  });
  receiver = await startCallbackReceiver({ host: '0.0.0.0', respond });
  const url = `http://localhost:${new URL(fn.url).port}`;
  stack = await startStack({
    functions: { echo: url, other: url },
    workerEnv: { CALLBACK_DNS_SERVERS: dns.address },
  });
  client = new ApiClient(stack.gateway.url);
});
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
  await fn?.[Symbol.asyncDispose]();
  await dns?.[Symbol.asyncDispose]();
});

interface Party {
  readonly client: ApiClient;
  readonly headers?: Record<string, string>;
}

/** Calls of a caller whose receiver answers at once. */
function measure({ client, headers = {} }: Party, path: string, count: number): Promise<Service> {
  const request = { callbackUrl: `http://localhost:${receiver.port}${path}`, headers };
  return measureService({ client, name: 'echo', fn, inbox: receiver, request }, count);
}

/**
 * Makes a call every 50 ms for `seconds`, with `urlOf(n)` as the callback URL of the n-th; resolves with their number.
 */
async function attack({ client, headers = {} }: Party, seconds: number, urlOf: (call: number) => string) {
  const until = performance.now() + seconds * 1_000;
  let made = 0;
  while (performance.now() < until) {
    await Promise.all([client.accept('other', { callbackUrl: urlOf(made), headers }), sleep(50)]);
    made += 1;
  }
  return made;
}

describe.each([
  ['host names that no DNS server answers', (call: number) => `http://n${call % 60}.tarpit.example:${receiver.port}/`],
  ['40 hosts that hang', (call: number) => `http://127.1.0.${1 + (call % 40)}:${receiver.port}/hang`],
  [
    'URLs that hang, each a new one',
    (call: number) => `http://127.1.1.${1 + (call % 40)}:${receiver.port}/hang/${call}`,
  ],
  ['a URL that hangs, on the host of another caller', () => `http://localhost:${receiver.port}/hang`],
])('20 calls a second to %s', (_, urlOf) => {
  test('cost another caller nothing', async () => {
    const quiet = await measure({ client }, '/inbox', 100);
    const [service, made] = await Promise.all([measure({ client }, '/inbox', 200), attack({ client }, 10, urlOf)]);
    expectAsQuiet(service, quiet);
    expect(made).toBeGreaterThan(50);
  });
});

describe('60 names at once that no DNS server answers', () => {
  test('cost another caller nothing', async () => {
    const quiet = await measure({ client }, '/inbox', 100);
    const callbackUrls = Array.from({ length: 60 }, (_, n) => `http://m${n}.tarpit.example:${receiver.port}/`);
    await Promise.all(callbackUrls.map((callbackUrl) => client.accept('other', { callbackUrl })));
    expectAsQuiet(await measure({ client }, '/inbox', 100), quiet);
  });
});

describe('a caller with a token', () => {
  test('does not wait for URLs of another one that hang on the same host, even if all of them are new', async () => {
    const names = ['hostile', 'other'];
    const tokens = names.map((name) => [name, { hash: hashOf(name), scopes: ['invoke'] }]);
    const file = join(stack.folder, 'tokens.json');
    await writeFile(file, JSON.stringify({ tokens: Object.fromEntries(tokens) }));
    const gateway = await stack.startGateway({ AUTH_TOKENS_FILE: file });
    await using guarded = new ApiClient(gateway.url);
    const [hostile, other] = names.map((name): Party => {
      return { client: guarded, headers: { Authorization: `Bearer secret-of-${name}` } };
    }) as [Party, Party];
    const urlOf = (call: number): string => `http://localhost:${receiver.port}/hang/new/${call}`;
    const [service, made] = await Promise.all([measure(other, '/a-new-one', 200), attack(hostile, 10, urlOf)]);
    expectAsQuiet(service, await measure(other, '/a-new-one', 100));
    expect(made).toBeGreaterThan(50);
    await gateway.stop();
  });
});

function hashOf(name: string): string {
  return `sha256:${createHash('sha256').update(`secret-of-${name}`).digest('hex')}`;
}
