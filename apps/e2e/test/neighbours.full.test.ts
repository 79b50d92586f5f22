import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ApiClient,
  type AttackerServer,
  type AttackName,
  attackerFunctions,
  attacks,
  type Stack,
  startAttackerServer,
} from '@asyncfn/stack';
import { type CallbackReceiver, startCallbackReceiver, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAsQuiet, measureService, type Service } from './harness/neighbour.ts';
import { startStack } from './harness/stack.ts';

// How one caller affects another one, with bounds that a busy machine keeps. `pnpm bench neighbours` has the figures.

const names = Object.keys(attacks) as AttackName[];
/** The attacks run in the process of the test. */
const scale = 1 / 8;

let fn: TestFunction;
let inbox: CallbackReceiver;
let server: AttackerServer;
let stack: Stack;
let client: ApiClient;
let quiet: Service;

beforeAll(async () => {
  fn = await startTestFunction({ keepBodies: false });
  inbox = await startCallbackReceiver({ keepBodies: false });
  server = await startAttackerServer();
  stack = await startStack({ functions: {}, gateways: 0, workers: 0 });
  const url = `http://127.0.0.1:${server.port}`;
  const own = attackerFunctions.map((name) => [name, { url: `${url}/${name}` }]);
  const functions = { neighbour: { url: fn.url }, ...Object.fromEntries(own) };
  await writeFile(stack.functionsFile, JSON.stringify({ functions, defaults: { url: `${url}/{name}` } }));
  const tokens = join(stack.folder, 'tokens.json');
  const callers = ['neighbour', ...names.map((_, index) => `attacker-${index}`)];
  await writeFile(tokens, JSON.stringify({ tokens: Object.fromEntries(callers.map((name) => [name, toToken(name)])) }));
  await stack.startGateway({ AUTH_TOKENS_FILE: tokens, MAX_BODY_BYTES: '64MiB' });
  // So few slots that the slow function of an attacker needs more than all of them.
  await stack.startWorker({ MAX_INFLIGHT: '8' });
  client = new ApiClient(stack.gateway.url);
  quiet = await measure();
});
afterAll(async () => {
  server?.release();
  await client?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await inbox?.[Symbol.asyncDispose]();
  await fn?.[Symbol.asyncDispose]();
});

function toToken(name: string): object {
  return { hash: `sha256:${createHash('sha256').update(name).digest('hex')}`, scopes: ['invoke', 'read'] };
}

/** Rejects if a call is not accepted, or has no callback. */
function measure(): Promise<Service> {
  const request = { callbackUrl: inbox.url, headers: { Authorization: 'Bearer neighbour' } };
  return measureService({ client, name: 'neighbour', fn, inbox, request }, 30);
}

test.each(names)('%s of one caller cost another one neither calls nor much time', async (name) => {
  const token = `attacker-${names.indexOf(name)}`;
  using attack = await attacks[name]({ gatewayUrl: stack.gateway.url, token, server, scale });
  expectAsQuiet(await measure(), quiet);
  expect([...attack.answers.keys()].filter((status) => status >= 500 && status !== 503)).toEqual([]);
  server.release();
});
