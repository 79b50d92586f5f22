import { startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { renderers, renderOverlay } from './kubernetes/cluster.ts';
import { type Installation, startInstallation } from './kubernetes/installation.ts';

/** kubectl's where there is one. */
const [, render] = renderers.at(-1)!;

const token = 'asyncfn_dev_only_not_a_secret';
const tokens = (hash: string) => `tokens:\n  app:\n    hash: ${hash}\n    scopes: [invoke]\n`;

/** Lines of the processes about settings, permissions or the like. */
function complaints({ gateway, worker }: Installation): unknown[] {
  return [...gateway.logs, ...worker.logs].filter(({ level }) => level === 'warn' || level === 'error');
}

function post(installation: Installation, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = { Authorization: `Bearer ${token}` };
  return fetch(`${installation.gateway.url}/async-function/echo`, {
    method: 'POST',
    headers: { ...authorization, ...headers },
    body: '{"greeting":"hello"}',
  });
}

test('with what the overlay dev gives to its pods, a call with its token is made and called back, signed', async () => {
  await using echo = await startTestFunction();
  await using receiver = await startCallbackReceiver();
  const cluster = renderOverlay(render, 'dev');
  await using installation = await startInstallation(cluster, {
    functions: `functions: { echo: { url: "${echo.url}" } }\n`,
  });
  const refused = await fetch(`${installation.gateway.url}/async-function/echo`, { method: 'POST' });
  expect(refused.status).toBe(401);
  expect((await post(installation, { 'X-Callback-Url': receiver.url })).status).toBe(202);
  const [callback] = await receiver.waitForCallbacks(1);
  expect(callback?.headers['x-function-status']).toBe('200');
  const secrets = cluster.texts('Secret', cluster.one('Secret', 'asyncfn-callbacks').metadata.name) ?? {};
  const headers = callback?.headers as Record<string, string>;
  expect(() => new Webhook(secrets['signing-secrets'] ?? '').verify(callback?.body ?? '', headers)).not.toThrow();
  expect(complaints(installation)).toEqual([]);

  const { container } = cluster.workload('asyncfn-nats');
  for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
    const answer = await fetch(`${installation.servers[0]?.monitorUrl}${probe?.httpGet.path}`);
    expect([probe?.httpGet.path, answer.status]).toEqual([probe?.httpGet.path, 200]);
  }
  for (const app of ['gateway', 'worker'] as const) {
    const { livenessProbe, readinessProbe } = cluster.workload(`asyncfn-${app}`).container;
    for (const { httpGet } of [livenessProbe, readinessProbe]) {
      expect((await installation[app].ops(httpGet.path as '/livez')).status).toBe(200);
    }
  }
});

test('with what the overlay ha gives to its pods, a 202 means that most servers have synced', async () => {
  await using echo = await startTestFunction();
  const dev = renderOverlay(render, 'dev');
  const hash = /sha256:\w+/.exec(
    dev.texts('Secret', dev.one('Secret', 'asyncfn-tokens').metadata.name)?.['tokens.yaml'] ?? '',
  );
  await using installation = await startInstallation(renderOverlay(render, 'ha'), {
    functions: `functions: { echo: { url: "${echo.url}" } }\n`,
    secrets: {
      'asyncfn-nats': { 'gateway-password': 'p1', 'worker-password': 'p2' },
      'asyncfn-tokens': { 'tokens.yaml': tokens(hash?.[0] ?? '') },
      'asyncfn-callbacks': { 'signing-secrets': `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
    },
  });
  expect((await post(installation)).status).toBe(202);
  await echo.waitForInvocations(1);
  expect(JSON.parse((await installation.gateway.ops('/readyz')).body)).toMatchObject({
    checks: { durability: 'fsync-quorum' },
  });
  expect(complaints(installation)).toEqual([]);
});
