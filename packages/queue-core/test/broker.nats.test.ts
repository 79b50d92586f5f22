import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import type { Broker } from '../src/jetstream/index.ts';
import { connected, createBroker, startServer } from './connected.ts';
import { createIdentities } from './nats-identities.ts';

/** Counts the events that listeners of a broker receive. */
function follow(broker: Broker): { connects: number; disconnects: number } {
  const seen = { connects: 0, disconnects: 0 };
  broker.onConnect(() => seen.connects++);
  broker.onDisconnect(() => seen.disconnects++);
  return seen;
}

/** A server that accepts connections and sends nothing. */
async function startSilentServer(): Promise<AsyncDisposable & { url: string; server: Server; accepted: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    handle.accepted += 1;
  });
  const handle = {
    url: '',
    server,
    accepted: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  handle.url = `nats://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return handle;
}

/** A server that takes too long to check credentials. */
async function startBusyServer(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('INFO {"server_id":"FAKE","version":"2.15.0","proto":1,"headers":true,"max_payload":1048576}\r\n');
    socket.once('data', () => socket.end("-ERR 'Authentication Timeout'\r\n"));
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

describe('a reachable broker', () => {
  test('is connected to in the background', async () => {
    await using test = createBroker(inject('natsUrl'));
    const { broker } = test;
    const seen = follow(broker);
    expect(broker.connected).toBe(false);
    expect(broker.connection).toBeUndefined();
    broker.start();
    expect(broker.connected).toBe(false);
    await connected(broker);
    expect(seen).toEqual({ connects: 1, disconnects: 0 });
    expect(broker.reconnects).toBe(0);
    expect(test.logger.messages).toEqual(['NATS connected']);
  });

  test('is reported at once to listeners that come late', async () => {
    await using test = createBroker(inject('natsUrl'));
    test.broker.start();
    await connected(test.broker);
    expect(follow(test.broker)).toEqual({ connects: 1, disconnects: 0 });
  });

  test('is connected to once, however often it is started', async () => {
    await using test = createBroker(inject('natsUrl'));
    const seen = follow(test.broker);
    test.broker.start();
    test.broker.start();
    await connected(test.broker);
    await test.broker.stop();
    expect(seen).toEqual({ connects: 1, disconnects: 1 });
  });
});

describe('an outage', () => {
  test('before the first connection is waited out', async () => {
    await using server = await startServer();
    server.signal('SIGKILL');
    await server.exited;
    await using test = createBroker(server.url);
    test.broker.start();
    await eventually(() => test.logger.lines.length >= 4);
    expect(test.logger.lines.map(({ level }) => level).slice(0, 4)).toEqual(['info', 'info', 'info', 'warn']);
    await server.restart();
    await connected(test.broker);
    expect(test.broker.reconnects).toBe(0);
    expect(test.fatal).toEqual([]);
  });

  test('is noticed at once and ends by itself', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    const { broker } = test;
    const seen = follow(broker);
    broker.start();
    await connected(broker);
    server.signal('SIGKILL');
    await eventually(() => !broker.connected, {});
    expect(seen).toEqual({ connects: 1, disconnects: 1 });
    await server.restart();
    await connected(broker);
    expect(seen).toEqual({ connects: 2, disconnects: 1 });
    expect(broker.reconnects).toBe(1);
    expect(test.logger.messages).toEqual(['NATS connected', 'NATS connection lost', 'NATS connected again']);
  });

  test('a server that hangs counts as away from the first missing answer until it answers', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    const { broker } = test;
    broker.start();
    await connected(broker);
    await server.pause();
    broker.suspect();
    broker.suspect();
    expect(broker.connected).toBe(false);
    expect(broker.attached).toBe(true);
    server.signal('SIGCONT');
    await connected(broker);
    expect(test.logger.messages).toEqual(['NATS connected', 'NATS does not answer']);
  });

  test('a request that is older than the last answer says nothing about the server as it is now', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    const { broker } = test;
    broker.start();
    await connected(broker);
    const sentAt = performance.now();
    broker.suspect();
    expect(broker.connected).toBe(false);
    await connected(broker);
    broker.suspect(sentAt);
    expect(broker.connected).toBe(true);
    broker.suspect();
    expect(broker.connected).toBe(false);
  });

  test('an answer that was missing on the previous connection says nothing about the new one', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    const { broker } = test;
    broker.start();
    await connected(broker);
    broker.suspect();
    await server.restart({ signal: 'SIGKILL' });
    await eventually(() => broker.reconnects === 1);
    await connected(broker);
    expect(test.fatal).toEqual([]);
  });
});

describe('credentials', () => {
  test('that the server refuses are fatal, with a message that says what to check', async () => {
    await using server = await startServer({ config: 'authorization { user: app, password: right }' });
    await using test = createBroker(server.url, { user: 'app', password: 'wrong' });
    test.broker.start();
    await eventually(() => test.fatal.length > 0);
    expect(test.fatal).toEqual([
      expect.objectContaining({ code: 'authorization', message: expect.stringContaining('NATS_PASSWORD') }),
    ]);
    expect(JSON.stringify([test.logger.lines, String(test.fatal[0])])).not.toContain('wrong');
    expect(test.broker.connected).toBe(false);
  });

  test('that the server accepts let us in', async () => {
    await using server = await startServer({ config: 'authorization { user: app, password: right }' });
    await using test = createBroker(server.url, { user: 'app', password: 'right' });
    test.broker.start();
    await connected(test.broker);
  });

  test('may be a token', async () => {
    await using server = await startServer({ config: 'authorization { token: right }' });
    await using right = createBroker(server.url, { token: 'right' });
    right.broker.start();
    await connected(right.broker);
    await using wrong = createBroker(server.url, { token: 'wr0ng' });
    wrong.broker.start();
    await eventually(() => wrong.fatal.length > 0);
    expect(wrong.fatal.map(({ code }) => code)).toEqual(['authorization']);
    expect(JSON.stringify([wrong.logger.lines, String(wrong.fatal[0])])).not.toContain('wr0ng');
  });

  test('may be a file with a JWT and a seed', async () => {
    const identities = createIdentities();
    await using server = await startServer({ config: identities.serverConfig, jetstream: false });
    const folder = await mkdtemp(join(tmpdir(), 'broker-'));
    const [path, foreign] = [join(folder, 'app.creds'), join(folder, 'foreign.creds')];
    await writeFile(path, identities.credentials);
    await using test = createBroker(server.url, { credentialsFile: path });
    test.broker.start();
    await connected(test.broker);
    await writeFile(foreign, createIdentities().credentials);
    await using stranger = createBroker(server.url, { credentialsFile: foreign });
    stranger.broker.start();
    await eventually(() => stranger.fatal.length > 0);
    expect(stranger.fatal.map(({ code }) => code)).toEqual(['authorization']);
    await rm(folder, { recursive: true });
  });

  test('that are refused after an outage are fatal', async () => {
    const server = await startServer({ config: 'authorization { user: app, password: right }' });
    await using test = createBroker(server.url, { user: 'app', password: 'right' });
    test.broker.start();
    await connected(test.broker);
    await server.stop();
    await using _ = await startServer({
      port: server.port,
      config: 'authorization { user: app, password: changed }',
    });
    await eventually(() => test.fatal.length > 0);
    expect(test.fatal.map(({ code }) => code)).toEqual(['authorization']);
  });

  test('that a busy server does not check in time are tried again', async () => {
    await using server = await startBusyServer();
    await using test = createBroker(server.url, { user: 'app', password: 'right' });
    test.broker.start();
    await eventually(() => test.logger.lines.length >= 2);
    expect(test.fatal).toEqual([]);
    expect(test.logger.lines[0]).toMatchObject({
      message: 'NATS is not reachable yet',
      fields: { err: { code: 'broker', message: expect.stringMatching(/Authentication Timeout/i) } },
    });
  });

  test.each([
    ['credentialsFile', 'NATS_CREDENTIALS_FILE /no/such/file cannot be read (ENOENT)'],
    ['tlsCaFile', 'NATS_TLS_CA_FILE /no/such/file cannot be read (ENOENT)'],
  ] as const)('a %s that is not there is fatal and named', async (option, message) => {
    await using test = createBroker(inject('natsUrl'), { [option]: '/no/such/file' });
    test.broker.start();
    await eventually(() => test.fatal.length > 0);
    expect(test.fatal.map((error) => error.message)).toEqual([message]);
  });

  test('in a file without credentials are fatal, and the file is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'broker-'));
    const path = join(folder, 'app.creds');
    await writeFile(path, 'not what it should be');
    await using test = createBroker(inject('natsUrl'), { credentialsFile: path });
    test.broker.start();
    await eventually(() => test.fatal.length > 0);
    expect(test.fatal.map((error) => error.message)).toEqual([`NATS_CREDENTIALS_FILE ${path} holds no credentials`]);
    await rm(folder, { recursive: true });
  });
});

describe('a stop', () => {
  test('before the start is legal, and keeps a later start from connecting', async () => {
    await using test = createBroker(inject('natsUrl'));
    await test.broker.stop();
    test.broker.start();
    await test.broker.stop();
    expect(test.broker.connection).toBeUndefined();
  });

  test('may come twice at once, and ends both', async () => {
    await using test = createBroker(inject('natsUrl'));
    test.broker.start();
    await connected(test.broker);
    await Promise.all([test.broker.stop(), test.broker.stop()]);
    await test.broker.stop();
    expect(test.broker.connection?.isClosed()).toBe(true);
    expect(test.broker.connected).toBe(false);
    expect(test.fatal).toEqual([]);
  });

  test('while connecting leaves no connection open', async () => {
    await using test = createBroker(inject('natsUrl'));
    test.broker.start();
    await test.broker.stop();
    expect(test.broker.connection?.isClosed() ?? true).toBe(true);
    expect(test.broker.connected).toBe(false);
    expect(test.fatal).toEqual([]);
  });

  test('during a wait for the next try does not wait', async () => {
    await using test = createBroker('nats://127.0.0.1:9');
    test.broker.start();
    // By now it waits for more than a second.
    await eventually(() => test.logger.lines.length >= 5);
    const stopped = test.broker.stop().then(() => 'stopped');
    expect(await Promise.race([stopped, delay(1_000, 'waited')])).toBe('stopped');
  });

  test('while a server accepts the connection and sends nothing ends with the time limit of an attempt', async () => {
    await using silent = await startSilentServer();
    await using test = createBroker(silent.url);
    test.broker.start();
    await eventually(() => silent.accepted > 0);
    const before = performance.now();
    await test.broker.stop();
    expect(performance.now() - before).toBeLessThan(30_000);
  });

  test('during an outage ends the attempts to reconnect', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    test.broker.start();
    await connected(test.broker);
    server.signal('SIGKILL');
    await eventually(() => !test.broker.connected);
    await test.broker.stop();
    expect(test.broker.connection?.isClosed()).toBe(true);
    expect(test.fatal).toEqual([]);
  });

  test('does not wait for a server that hangs', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    test.broker.start();
    await connected(test.broker);
    await server.pause();
    const before = performance.now();
    await test.broker.stop();
    expect(performance.now() - before).toBeLessThan(30_000);
    expect(test.broker.connection?.isClosed()).toBe(true);
    server.signal('SIGCONT');
  });

  test('closes even if the connection is lost in the middle of it', async () => {
    await using server = await startServer();
    await using test = createBroker(server.url);
    test.broker.start();
    await connected(test.broker);
    await server.pause();
    const stopped = test.broker.stop();
    server.signal('SIGKILL');
    await stopped;
    expect(test.broker.connection?.isClosed()).toBe(true);
  });

  test('sends what is buffered', async () => {
    await using reader = createBroker(inject('natsUrl'));
    await using writer = createBroker(inject('natsUrl'));
    const received: string[] = [];
    reader.broker.onConnect((connection) => {
      connection.subscribe('broker-test.stop', { callback: (_, message) => void received.push(message.string()) });
    });
    for (const { broker } of [reader, writer]) {
      broker.start();
      await connected(broker);
    }
    await reader.broker.connection?.flush();
    writer.broker.connection?.publish('broker-test.stop', 'last words');
    await writer.broker.stop();
    await eventually(() => received.length > 0);
    expect(received).toEqual(['last words']);
  });
});

test('the server that a broker is connected to is the last one that it would try again', async () => {
  await using first = await startServer();
  await using second = await startServer();
  for (let connects = 0; connects < 8; connects++) {
    await using side = createBroker(first.url, { servers: [first.url, second.url] });
    side.broker.start();
    await connected(side.broker);
    const listens = side.broker.connection?.getServers().map(({ listen }) => listen);
    expect(listens).toHaveLength(2);
    expect(listens?.at(-1)).toBe(side.broker.connection?.getServer());
  }
});

test('a server with a silent JetStream is left for the next one, and one that has answered since is not', async () => {
  await using first = await startServer();
  await using second = await startServer();
  await using side = createBroker(first.url, { servers: [first.url, second.url] });
  const { broker } = side;
  broker.start();
  await connected(broker);
  const before = broker.connection?.getServer();
  const timeOut = async (): Promise<void> => {
    broker.suspect();
    await eventually(() => broker.connected);
  };
  await timeOut();
  broker.answered();
  await timeOut();
  expect([broker.connection?.getServer(), broker.reconnects]).toEqual([before, 0]);
  broker.suspect();
  await eventually(() => broker.reconnects === 1 && broker.connected);
  expect(broker.connection?.getServer()).not.toBe(before);
  expect(side.logger.messages).toContain('JetStream does not answer here, trying the next server');
});
