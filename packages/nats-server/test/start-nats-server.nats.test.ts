import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { connect as connectSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '../src/index.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

function start(options: NatsServerOptions = {}): Promise<NatsServer> {
  return startNatsServer({ bin: inject('natsServerBin'), ...options });
}

/** Puts a message into a stream, which is created if need be, and returns how many the stream then holds. */
async function publish(url: string, body: string | Uint8Array = 'hello'): Promise<number> {
  const connection = await connect({ servers: url, reconnect: false });
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'KEPT', subjects: ['kept'] });
    await jetstream(connection).publish('kept', body);
    return (await manager.streams.info('KEPT')).state.messages;
  } finally {
    await connection.close();
  }
}

function accepts(port: number): Promise<boolean> {
  const socket = connectSocket(port, '127.0.0.1');
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

describe('a started server', () => {
  test('takes JetStream messages of the size that 1 MiB bodies need', async () => {
    await using server = await start();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await publish(server.url, new Uint8Array(2 * 1024 * 1024))).toBe(1);
  });

  test('obeys its options', async () => {
    await using server = await start({
      name: 'n1',
      monitor: true,
      jetstream: false,
      maxPayload: 2048,
      config: 'max_connections: 7',
    });
    const varz = (await (await fetch(`${server.monitorUrl}/varz`)).json()) as { jetstream: object };
    expect(varz).toMatchObject({ server_name: 'n1', max_payload: 2048, max_connections: 7, jetstream: {} });
    expect(varz.jetstream).not.toHaveProperty('config');
  });

  test('passes its log lines on', async () => {
    const lines: string[] = [];
    await using _server = await start({ onLine: (line) => lines.push(line) });
    await eventually(() => lines.some((line) => line.includes('Server is ready')));
  });

  test('is published with its last log lines, for the report of a failed test', async () => {
    const launched: { readonly exited: Promise<unknown>; readonly tail: string }[] = [];
    const listen = (message: unknown): void => void launched.push(message as (typeof launched)[0]);
    subscribe('asyncfn:nats-server', listen);
    await using server = await start();
    unsubscribe('asyncfn:nats-server', listen);
    const [own] = launched;
    expect(own?.tail).toMatch(/^--- nats-server \(pid \d+\)\n.*Server is ready/s);
    await server.stop();
    await own?.exited;
  });

  test('leaves nothing behind when it is stopped', async () => {
    const server = await start();
    await access(server.storeDir);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await expect(access(server.storeDir)).rejects.toThrow('ENOENT');
    expect(await accepts(server.port)).toBe(false);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('keeps a store folder that was given to it', async () => {
    await using folder = await createTemporaryFolder();
    const options = { storeDir: join(folder.path, 'store'), syncInterval: 'always' };
    for (const messages of [1, 2]) {
      await using server = await start(options);
      expect(await publish(server.url)).toBe(messages);
    }
  });
});

describe('an outage', () => {
  test.for(['SIGTERM', 'SIGKILL'] as const)('by %s ends on the same port with the same messages', async (signal) => {
    await using server = await start();
    const { url, pid } = server;
    await publish(url);
    await server.restart({ signal });
    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(await publish(url)).toBe(2);
  });

  test('lasts as long as the test wants', async () => {
    await using server = await start();
    server.signal('SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await accepts(server.port)).toBe(false);
    await server.restart();
    expect(await accepts(server.port)).toBe(true);
  });

  test('that is cut short by a stop leaves no server behind', async () => {
    const server = await start();
    const restarted = server.restart();
    await server.stop();
    await restarted;
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    await expect(server.restart()).rejects.toThrow('stopped for good');
  });

  test('ends even if another process had the port for a moment', async () => {
    const blocker = createServer();
    let refusals = 0;
    await using server = await start({
      onLine: (line) => {
        if (!line.includes('address already in use')) {
          return;
        }
        refusals++;
        blocker.close();
      },
    });
    server.signal('SIGTERM');
    await server.exited;
    await once(blocker.listen(server.port, '127.0.0.1'), 'listening');
    await server.restart();
    expect(refusals).toBeGreaterThan(0);
    expect(await publish(server.url)).toBe(1);
  });
});

describe('a failed start', () => {
  test('is reported with the last lines of the log', async () => {
    const started = start({ config: 'jetstream {' });
    await expect(started).rejects.toMatchObject({ name: 'NatsServerError', code: 'start_failed' });
    await expect(started).rejects.toThrow(/ended with code 1\nIts last log lines:\n.*Parse error/);
  });

  test('on a port that is taken says so', async () => {
    await using server = await start();
    await expect(start({ port: server.port })).rejects.toThrow('address already in use');
  });

  test('because the binary does not exist says so', async () => {
    await expect(start({ bin: '/no/such/nats-server' })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('/no/such/nats-server: no such command'),
    });
  });

  test('because it takes too long leaves no server behind', async () => {
    let pid = 0;
    const onLine = (line: string): void => {
      pid = Number(/^\[(\d+)\]/.exec(line)?.[1] ?? pid);
    };
    // If it cannot write its ports, no process learns that it is ready.
    await expect(start({ startTimeoutMs: 500, args: ['--ports_file_dir', '/no/such/folder'], onLine })).rejects.toThrow(
      'it was not ready within 500 ms',
    );
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
