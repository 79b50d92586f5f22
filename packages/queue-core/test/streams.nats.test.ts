import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ensureStream, ensureStreamWithRoom } from '../src/jetstream/layout/streams.ts';
import { RecordingLogger, startServer } from './connected.ts';
import { openManager, startGatewaySide, startWorkerSide } from './harness.ts';

const mebibyte = 1024 * 1024;

/** A server whose JetStream may use this much. */
async function startSmallServer(maxBytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-streams-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return startServer({ config: `jetstream { store_dir: ${JSON.stringify(folder)}, max_file_store: ${maxBytes} }` });
}

test('a stream for whose bytes there is no room is created with less, and found again as it is', async () => {
  await using server = await startSmallServer(50 * mebibyte);
  await using look = await openManager(server.url);
  const logger = new RecordingLogger();
  const wanted = { name: 'BOUNDED', subjects: ['bounded'], max_bytes: 1024 * mebibyte };
  await ensureStreamWithRoom(look.manager, wanted, logger);
  expect((await look.manager.streams.info('BOUNDED')).config.max_bytes).toBe(16 * mebibyte);
  expect(logger.messages).toHaveLength(3);
  await ensureStreamWithRoom(look.manager, wanted, logger);
  expect(logger.messages).toHaveLength(3);
});

test('a stream without even a little room is refused', async () => {
  await using server = await startSmallServer(mebibyte / 2);
  await using look = await openManager(server.url);
  const wanted = { name: 'BOUNDED', subjects: ['bounded'], max_bytes: 16 * mebibyte };
  await expect(ensureStreamWithRoom(look.manager, wanted, new RecordingLogger())).rejects.toThrow(/insufficient/);
});

test('a gateway and a worker get ready on a broker with little room', async () => {
  await using server = await startSmallServer(20 * mebibyte);
  await using gateway = await startGatewaySide(server.url, { queues: ['default'] });
  await using worker = await startWorkerSide(server.url, { queues: ['default'] });
  expect([gateway.topology.ready, worker.topology.ready]).toEqual([true, true]);
});

test('the next process finds a stream that has reserved most of the room', async () => {
  await using server = await startSmallServer(12 * mebibyte);
  await using look = await openManager(server.url);
  const logger = new RecordingLogger();
  const wanted = { name: 'LARGE', subjects: ['large'], max_bytes: 8 * mebibyte };
  await ensureStream(look.manager, wanted, logger);
  await ensureStream(look.manager, wanted, logger);
  expect((await look.manager.streams.info('LARGE')).config).toMatchObject(wanted);
  expect(logger.lines).toEqual([]);
  const another = { name: 'LARGER', subjects: ['larger'], max_bytes: 8 * mebibyte };
  await expect(ensureStream(look.manager, another, logger)).rejects.toThrow(/cannot be created: insufficient storage/);
});

describe('a limit of bytes', () => {
  const subject = 'limited.a';
  const wanted = (maxBytes: number) => ({ name: 'LIMITED', subjects: ['limited.*'], max_bytes: maxBytes });

  test.each([
    ['is raised', 2 * mebibyte, 8 * mebibyte, 8 * mebibyte],
    ['is lowered where twice what is there fits', 8 * mebibyte, 2 * mebibyte, 2 * mebibyte],
    ['is set on a stream without one where twice what is there fits', -1, 2 * mebibyte, 2 * mebibyte],
    ['stays where a lower one would throw something away', 8 * mebibyte, mebibyte, 8 * mebibyte],
    ['is not set on a stream without one that would lose something', -1, mebibyte, -1],
  ])('%s', async (_, before, asked, after) => {
    await using server = await startServer();
    await using look = await openManager(server.url);
    const logger = new RecordingLogger();
    await ensureStream(look.manager, wanted(before), logger);
    await look.manager.jetstream().publish(subject, Buffer.alloc(0.8 * mebibyte));
    await ensureStream(look.manager, wanted(asked), logger);
    const { config, state } = await look.manager.streams.info('LIMITED');
    expect([config.max_bytes, state.messages]).toEqual([after, 1]);
    expect(logger.messages).toEqual([
      after === asked
        ? 'stream settings changed'
        : 'STREAM_MAX_BYTES is not set on a stream that holds more than half of it already',
    ]);
  });
});
