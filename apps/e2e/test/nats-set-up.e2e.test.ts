import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type { AppName, AppProcess } from '@asyncfn/stack';
import { readTestCertificates } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const apps: readonly AppName[] = ['gateway', 'worker'];
const badConfiguration = { code: 78, signal: null };
const failed = { code: 1, signal: null };
const certificates = readTestCertificates();

/** A functions file, and a nats-server that only some of the tests use. */
function startBackground() {
  return startStack({ functions: { echo: 'http://127.0.0.1:9' }, gateways: 0, workers: 0 });
}

function startMutualTls(): Promise<NatsServer> {
  const { certificateFile, keyFile, authorityFile } = certificates;
  const tls = `tls { cert_file: "${certificateFile}", key_file: "${keyFile}", ca_file: "${authorityFile}", verify: true }`;
  return startNatsServer({ bin: inject('natsServerBin'), config: tls });
}

/** Lines that report a problem, at any level. */
function troubles(app: AppProcess): string[] {
  return app.output.filter((line) => /"err"|STREAM_REPLICAS/.test(line));
}

// They wait more than they work, so they wait together.
describe.concurrent.for(apps)('a %s', (app) => {
  test('waits for a NATS that is away, with a short line from time to time', async () => {
    await using stack = await startBackground();
    await stack.haltNats();
    const child = await stack.spawn(app);
    await child.untilLogged('NATS is not reachable yet', ({ level }) => level === 'warn');

    const lines = troubles(child);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400);
    expect(lines.join('\n')).not.toMatch(/stack|\\n/);
    expect(lines[0]).toMatch(/NATS at 127\.0\.0\.1:\d+ is not reachable: connection refused \(ECONNREFUSED\)/);
    expect((await child.ops('/livez')).status).toBe(200);
    expect(JSON.parse((await child.ops('/readyz')).body)).toMatchObject({ checks: { nats: 'disconnected' } });
    await stack.nats.restart();
    await child.untilReady();
  });

  test('ends with one line that names STREAM_REPLICAS if there is one server to keep three copies', async () => {
    await using stack = await startBackground();
    const child = await stack.spawn(app, { STREAM_REPLICAS: '3' });

    expect(await child.ended()).toEqual(failed);
    const lines = troubles(child);
    expect(lines).toEqual([expect.stringMatching(/"level":"fatal".*STREAM_REPLICAS above 1 needs a cluster/)]);
    expect(lines[0]?.length).toBeLessThan(600);
    expect(lines[0]).not.toMatch(/stack|\\n/);
  });

  test('ends with a line that names the settings if NATS asks for a certificate', async () => {
    await using stack = await startBackground();
    await using server = await startMutualTls();
    const child = await stack.spawn(app, {
      NATS_URL: server.url.replace('nats:', 'tls:'),
      NATS_TLS_CA_FILE: certificates.authorityFile,
    });

    expect(await child.ended()).toEqual(failed);
    expect(troubles(child)).toEqual([
      expect.stringMatching(/asks for a client certificate: set NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE/),
    ]);
  });

  test('is ready with a certificate of its own', async () => {
    await using stack = await startBackground();
    await using server = await startMutualTls();
    const child = await stack.spawn(app, {
      NATS_URL: server.url.replace('nats:', 'tls:'),
      NATS_TLS_CA_FILE: certificates.authorityFile,
      NATS_TLS_CERT_FILE: certificates.clientFile,
      NATS_TLS_KEY_FILE: certificates.clientKeyFile,
    });

    await child.untilReady();
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  test('names every file of NATS that is wrong as bad configuration', async () => {
    await using stack = await startBackground();
    const child = await stack.spawn(app, {
      NATS_CREDENTIALS_FILE: certificates.keyFile,
      NATS_TLS_CA_FILE: '/no/such/file',
      NATS_TLS_CERT_FILE: certificates.clientFile,
    });

    expect(await child.ended()).toEqual(badConfiguration);
    expect([...child.stderr].sort()).toEqual([
      expect.stringMatching(/^NATS_CREDENTIALS_FILE: .* holds no credentials$/),
      'NATS_TLS_CA_FILE: /no/such/file cannot be read (ENOENT)',
      expect.stringMatching(/^NATS_TLS_KEY_FILE: is missing: NATS_TLS_CERT_FILE is set/),
    ]);
  });
});

test('while NATS is connected and its streams do not exist yet, no line says that it cannot be reached', async () => {
  await using stack = await startBackground();
  await using connection = await connect({ servers: stack.nats.url });
  const { streams } = await jetstreamManager(connection);
  await streams.add({ name: 'other', subjects: ['calls.default.>'] });
  const gateway = await stack.spawn('gateway');
  await gateway.untilLogged('queue topology is not in place yet', ({ level }) => level === 'warn');

  const answer = await fetch(`${gateway.url}/async-function/echo`, { method: 'POST' });
  expect(await answer.json()).toMatchObject({ code: 'broker_unavailable', title: 'The queue is not available' });
  expect(JSON.parse((await gateway.ops('/readyz')).body)).toMatchObject({
    checks: { nats: 'connected', topology: 'pending' },
  });
  expect(gateway.output.join('\n')).not.toMatch(/cannot be reached|not reachable|disconnected/);
  await streams.delete('other');
  await gateway.untilReady();
});
