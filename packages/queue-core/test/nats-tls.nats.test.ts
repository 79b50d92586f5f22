import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { eventually, readTestCertificates } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import type { BrokerOptions } from '../src/jetstream/connecting/broker.ts';
import { findSettingProblems } from '../src/jetstream/index.ts';
import { connected, createBroker, startServer } from './connected.ts';

const certificates = readTestCertificates();
const { certificateFile, keyFile, authorityFile } = certificates;
const { clientFile, clientKeyFile, strangerFile, strangerKeyFile } = certificates;
const ours = { tlsCertFile: clientFile, tlsKeyFile: clientKeyFile };

/** nats-server's `tls` block. */
function tlsConfig(more = ''): string {
  return `tls { cert_file: "${certificateFile}", key_file: "${keyFile}", ca_file: "${authorityFile}", ${more} }`;
}

function asTls(url: string): string {
  return url.replace('nats:', 'tls:');
}

/** Sends the first line of a nats-server that asks for a certificate, and goes no further than TLS 1.2. */
async function startOlderServer(): Promise<AsyncDisposable & { url: string }> {
  const { certificate: cert, key, authority: ca } = certificates;
  const info = {
    server_id: 'FAKE',
    version: '2.15.0',
    proto: 1,
    max_payload: 1024,
    tls_required: true,
    tls_verify: true,
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    const options = { isServer: true, cert, key, ca, requestCert: true, rejectUnauthorized: true } as const;
    new TLSSocket(socket, { ...options, maxVersion: 'TLSv1.2' } as typeof options).on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `nats://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await once(server.close(), 'close');
    },
  };
}

/** The error that ends a process with this set-up. */
async function fatalOf(url: string, options: Partial<BrokerOptions>) {
  await using test = createBroker(url, options);
  test.broker.start();
  await eventually(() => test.fatal.length > 0);
  expect(test.broker.connected).toBe(false);
  return test.fatal.map(({ code, message }) => ({ code, message }));
}

describe('a server of tls://', () => {
  test('is used over TLS if our authority has signed its certificate', async () => {
    await using server = await startServer({ config: tlsConfig() });
    for (const url of [server.url, asTls(server.url)]) {
      await using test = createBroker(url, { tlsCaFile: authorityFile });
      test.broker.start();
      await connected(test.broker);
    }
  });

  test('whose certificate an unknown authority has signed is fatal, and the setting is named', async () => {
    await using server = await startServer({ config: tlsConfig() });
    expect(await fatalOf(asTls(server.url), {})).toEqual([
      {
        code: 'tls',
        message: expect.stringMatching(/certificate of NATS at 127\.0\.0\.1:\d+ is not trusted .*NATS_TLS_CA_FILE/),
      },
    ]);
  });

  test('whose certificate is for another name is fatal, and says so', async () => {
    await using server = await startServer({ config: tlsConfig(), host: '127.0.0.2' });
    expect(await fatalOf(asTls(server.url), { tlsCaFile: authorityFile })).toEqual([
      { code: 'tls', message: expect.stringMatching(/for another name: NATS_URL must name the server/) },
    ]);
  });

  test('that does not offer TLS is fatal and gets no password', async () => {
    const url = inject('natsUrl');
    expect(await fatalOf(asTls(url), { password: 'secret' })).toEqual([
      { code: 'tls', message: `NATS at ${new URL(url).host} does not speak TLS, which tls:// and NATS_TLS_* require` },
    ]);
  });
});

describe.concurrent('a server that asks clients for a certificate', () => {
  test('lets us in with ours, on the first connection and on the next', async () => {
    await using server = await startServer({ config: tlsConfig('verify: true') });
    await using test = createBroker(asTls(server.url), { tlsCaFile: authorityFile, ...ours });
    test.broker.start();
    await connected(test.broker);
    await server.restart({ signal: 'SIGKILL' });
    await eventually(() => test.broker.reconnects === 1 && test.broker.connected);
  });

  test.each([
    ['TLS 1.3', () => startServer({ config: tlsConfig('verify: true') })],
    ['TLS 1.2, where the handshake itself fails', startOlderServer],
  ])('is fatal without one, and both settings are named (%s)', async (_, start) => {
    await using server = await start();
    expect(await fatalOf(asTls(server.url), { tlsCaFile: authorityFile })).toEqual([
      {
        code: 'tls',
        message: `NATS at ${new URL(server.url).host} asks for a client certificate: set NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE`,
      },
    ]);
  });

  test('is fatal with one that it does not trust, and the error has the reason', async () => {
    await using server = await startServer({ config: tlsConfig('verify: true') });
    const options = { tlsCaFile: authorityFile, tlsCertFile: strangerFile, tlsKeyFile: strangerKeyFile };
    expect(await fatalOf(asTls(server.url), options)).toEqual([
      {
        code: 'tls',
        message: expect.stringMatching(/TLS handshake \(.*\): check the certificate in NATS_TLS_CERT_FILE$/),
      },
    ]);
  });

  test('may know its users by it', async () => {
    const config = `${tlsConfig('verify_and_map: true')}\nauthorization { users: [{ user: "CN=client.test" }] }`;
    await using server = await startServer({ config });
    await using test = createBroker(asTls(server.url), { tlsCaFile: authorityFile, ...ours });
    test.broker.start();
    await connected(test.broker);
  });

  test('lets us in with a certificate that was renewed while we ran', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nats-tls-'));
    const [tlsCertFile, tlsKeyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    const put = async (cert: string, key: string): Promise<void> => {
      await Promise.all([copyFile(cert, tlsCertFile), copyFile(key, tlsKeyFile)]);
    };
    await put(clientFile, clientKeyFile);
    await using server = await startServer({ config: tlsConfig('verify: true') });
    await using test = createBroker(asTls(server.url), { tlsCaFile: authorityFile, tlsCertFile, tlsKeyFile });
    test.broker.start();
    await connected(test.broker);
    await put(strangerFile, strangerKeyFile);
    await server.restart({ signal: 'SIGKILL' });
    await eventually(() => !test.broker.connected);
    await put(clientFile, clientKeyFile);
    await eventually(() => test.broker.connected);
    await rm(folder, { recursive: true });
  });
});

describe.concurrent('with several servers', () => {
  test('one that is away is no reason to give up on another that lets us in', async () => {
    await using server = await startServer({ config: tlsConfig('verify: true') });
    const servers = ['tls://127.0.0.1:9', asTls(server.url)];
    await using test = createBroker('', { servers, tlsCaFile: authorityFile, ...ours });
    test.broker.start();
    await connected(test.broker);
    expect(
      test.broker.connection
        ?.getServers()
        .map(({ listen }) => listen)
        .sort(),
    ).toEqual(['127.0.0.1:9', new URL(server.url).host].sort());
  });

  test('one that refuses us is reported, even if the others are away', async () => {
    await using server = await startServer({ config: tlsConfig('verify: true') });
    const servers = ['tls://127.0.0.1:9', asTls(server.url)];
    expect(await fatalOf('', { servers, tlsCaFile: authorityFile })).toMatchObject([{ code: 'tls' }]);
  });
});

describe('files with our certificate and key', () => {
  test.each([
    ['are right', { tlsCaFile: authorityFile, ...ours }, []],
    [
      'cannot be read',
      { credentialsFile: '/no/such/a', tlsCaFile: '/no/such/b', tlsCertFile: '/no/such/c', tlsKeyFile: '/' },
      [
        'NATS_CREDENTIALS_FILE: /no/such/a cannot be read (ENOENT)',
        'NATS_TLS_CA_FILE: /no/such/b cannot be read (ENOENT)',
        'NATS_TLS_CERT_FILE: /no/such/c cannot be read (ENOENT)',
        'NATS_TLS_KEY_FILE: / cannot be read (EISDIR)',
      ],
    ],
    [
      'hold something else',
      { credentialsFile: keyFile, tlsCaFile: keyFile, tlsCertFile: clientKeyFile, tlsKeyFile: clientFile },
      [
        `NATS_CREDENTIALS_FILE: ${keyFile} holds no credentials`,
        `NATS_TLS_CA_FILE: ${keyFile} holds no certificate in PEM form`,
        `NATS_TLS_CERT_FILE: ${clientKeyFile} holds no certificate in PEM form`,
        `NATS_TLS_KEY_FILE: ${clientFile} holds no private key in PEM form without a passphrase`,
      ],
    ],
    [
      'lack the key',
      { tlsCertFile: clientFile },
      ['NATS_TLS_KEY_FILE: is missing: NATS_TLS_CERT_FILE is set, and a client certificate needs both'],
    ],
    [
      'lack the certificate',
      { tlsKeyFile: clientKeyFile },
      ['NATS_TLS_CERT_FILE: is missing: NATS_TLS_KEY_FILE is set, and a client certificate needs both'],
    ],
    [
      'do not belong together',
      { tlsCertFile: clientFile, tlsKeyFile: strangerKeyFile },
      [`NATS_TLS_KEY_FILE: ${strangerKeyFile} is not the key of the certificate in ${clientFile}`],
    ],
  ])('that %s are told of, all at once', async (_, settings, expected) => {
    const problems = await findSettingProblems(settings);
    expect(problems.map(({ name, problem }) => `${name}: ${problem}`).sort()).toEqual(expected);
  });
});
