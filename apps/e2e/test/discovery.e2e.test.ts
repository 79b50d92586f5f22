import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '@asyncfn/stack';
import { eventually, type Openfaas, startOpenfaas } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let openfaas: Openfaas;
let stack: Stack;

beforeAll(async () => {
  openfaas = await startOpenfaas({ credentials: { user: 'admin', password: 'secret' } });
  openfaas.functions = [
    { name: 'env', namespace: 'openfaas-fn', annotations: { 'com.openfaas.retry.attempts': '3' } },
    { name: 'figlet', namespace: 'team-a' },
  ];
  stack = await startStack({ functions: {} });
  await writeFile(join(stack.folder, 'password'), 'secret\n');
  const discover = `discover: { openfaas: { url: "${openfaas.url}", tokenFile: password, every: 1s } }\n`;
  await writeFile(stack.functionsFile, discover);
  await eventually(async () => (await show('env'))['status'] === 200);
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await openfaas?.close();
});

function post(path: string): Promise<Response> {
  return fetch(`${stack.gateway.url}${path}`, { method: 'POST', body: 'hello' });
}

async function show(name: string) {
  const response = await fetch(`${stack.gateway.url}/system/functions/${name}`);
  return { status: response.status, ...((await response.json()) as object) } as Record<string, unknown>;
}

async function untilShown(name: string, expected: object): Promise<void> {
  await eventually(async () => {
    const shown = await show(name);
    return Object.entries(expected).every(([key, value]) => JSON.stringify(shown[key]) === JSON.stringify(value));
  });
}

test('the functions of an OpenFaaS are called there without a list here, by each of their names', async () => {
  expect(await show('env')).toMatchObject({ source: 'file', paused: false, retry: { attempts: 3 }, discovered: {} });
  for (const path of [
    '/async-function/env',
    '/async-function/env.openfaas-fn',
    '/async-function/figlet.team-a/a?b=1',
  ]) {
    expect((await post(path)).status).toBe(202);
  }
  await eventually(() => openfaas.callsOf('env').length === 2);
  await eventually(() => openfaas.requests.some(({ url }) => url === '/function/figlet.team-a/a?b=1'));
  expect((await post('/async-function/unknown')).status).toBe(404);
});

test('a function that vanishes there is paused here: its calls wait until it is back', async () => {
  const before = openfaas.functions;
  openfaas.functions = before.filter(({ name }) => name !== 'figlet');
  await untilShown('figlet.team-a', { paused: true, discovered: { absent: true } });
  // Resuming it by hand does not bring it back.
  const resumed = await fetch(`${stack.gateway.url}/system/functions/figlet.team-a/resume`, { method: 'POST' });
  expect(await resumed.json()).toMatchObject({ paused: true });
  const called = openfaas.callsOf('figlet.team-a').length;
  expect((await post('/async-function/figlet.team-a')).status).toBe(202);
  // A call of another function overtakes the one that waits.
  const other = openfaas.callsOf('env').length;
  await post('/async-function/env');
  await eventually(() => openfaas.callsOf('env').length > other);
  expect(openfaas.callsOf('figlet.team-a').length).toBe(called);
  openfaas.functions = before;
  await eventually(() => openfaas.callsOf('figlet.team-a').length > called);
});

test('what an operator has paused stays paused when it vanishes and comes back', async () => {
  const before = openfaas.functions;
  await fetch(`${stack.gateway.url}/system/functions/env/pause`, { method: 'POST' });
  openfaas.functions = before.filter(({ name }) => name !== 'env');
  await untilShown('env', { discovered: { absent: true } });
  openfaas.functions = before;
  await untilShown('env', { discovered: {}, paused: true });
  await fetch(`${stack.gateway.url}/system/functions/env/resume`, { method: 'POST' });
  await untilShown('env', { paused: false });
});

test('an outage of the OpenFaaS changes nothing, not even for a gateway that starts meanwhile', async () => {
  openfaas.isDown = true;
  await stack.gateway.untilLogged('the functions of OpenFaaS cannot be listed; those known so far stay');
  expect(await show('env')).toMatchObject({ paused: false, discovered: {} });
  const second = await stack.startGateway();
  expect((await fetch(`${second.url}/async-function/env`, { method: 'POST' })).status).toBe(202);
  openfaas.isDown = false;
  await stack.gateway.untilLogged('the functions of OpenFaaS can be listed again');
  expect((await show('figlet.team-a'))['paused']).toBe(false);
});
