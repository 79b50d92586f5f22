import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const secretOf = (name: string) => `${name}-`.padEnd(40, 'x');
const as = (name: string) => ({ headers: { Authorization: `Bearer ${secretOf(name)}` } });

/** A gateway where every name is a function, for two callers. */
async function startOpenStack(url: string, env: Record<string, string>): Promise<Stack> {
  const stack = await startStack({ functions: {}, gateways: 0, workers: 0 });
  await writeFile(stack.functionsFile, JSON.stringify({ functions: { ours: { url } }, defaults: { url } }));
  const tokens = ['eve', 'bob'].map((name) => {
    const hash = `sha256:${createHash('sha256').update(secretOf(name)).digest('hex')}`;
    return [name, { hash, scopes: ['invoke'] }];
  });
  const path = join(stack.folder, 'tokens.yaml');
  await writeFile(path, JSON.stringify({ tokens: Object.fromEntries(tokens) }));
  await stack.startGateway({ AUTH_TOKENS_FILE: path, ...env });
  await stack.startWorker();
  return stack;
}

test('a caller that invents names is refused some, and other callers lose nothing', async () => {
  await using fn = await startTestFunction();
  await using stack = await startOpenStack(fn.url, {
    MAX_UNREGISTERED_FUNCTIONS: '60',
    MAX_UNREGISTERED_FUNCTIONS_PER_TOKEN: '40',
  });
  await using client = new ApiClient(stack.gateway.url, 16);
  const invented = await Promise.all(
    Array.from({ length: 100 }, (_, index) => client.call(`invented-${index}`, as('eve'))),
  );
  const refused = invented.filter(({ status }) => status !== 202);
  expect(refused).toHaveLength(60);
  for (const { status, text } of refused) {
    expect([status, JSON.parse(text).code]).toEqual([429, 'too_many_names']);
  }
  const names = ['ours', ...Array.from({ length: 20 }, (_, index) => `real-${index}`)];
  const ofBob = await Promise.all(names.map((name) => client.call(name, as('bob'))));
  expect(ofBob.map(({ status }) => status)).toEqual(names.map(() => 202));
  const oneMore = await client.call('real-20', as('bob'));
  expect([oneMore.status, JSON.parse(oneMore.text).code]).toEqual([503, 'too_many_functions']);
  expect((await client.call('ours', as('eve'))).status).toBe(202);
  await fn.waitForInvocations(40 + names.length + 1);
  await eventually(async () => (await stack.worker.metric('queue_worker_consumers{queue_name="default"}')) >= 62);
  expect(await stack.worker.metric('queue_worker_consumers_limit{queue_name="default"}')).toBe(16_384);
});
